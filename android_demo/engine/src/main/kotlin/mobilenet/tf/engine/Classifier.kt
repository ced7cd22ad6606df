package mobilenet.tf.engine

import java.nio.ByteBuffer
import java.nio.ByteOrder
import mobilenet.tf.core.ElementType
import mobilenet.tf.core.InputTable
import mobilenet.tf.core.ModelFile
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.TensorFormat
import mobilenet.tf.core.UserError
import mobilenet.tf.core.firstLine
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor

/**
 * A `.tflite` image classifier. Sizes, types, quantization, labels and preprocessing are read from the
 * file.
 *
 * Not thread-safe. Open it with [Classifier.open] and close it after use.
 *
 * @property accelerator accelerator that runs the model, which may differ from the requested one.
 * @property fallback one sentence on why the requested accelerator is not used; null if it is used.
 */
class Classifier private constructor(
    private val interpreter: Interpreter,
    val file: ModelFile,
    val input: TensorFormat,
    val output: TensorFormat,
    val accelerator: Accelerator,
    val fallback: String?,
) : AutoCloseable {
    private val table = InputTable(input, file.mean, file.std)
    private val inputBuffer = buffer(input)
    private val outputBuffer = buffer(output)

    /** Side of the square input image in pixels. */
    val size: Int get() = input.shape[1]

    /** Number of channels of the input image, 3 (RGB) or 1 (grey). */
    val channels: Int get() = input.shape[3]

    /** One label per class, or null if the file has no labels. */
    val labels: List<String>? get() = file.labels

    /** Return the preprocessing with which this model was trained. */
    fun preprocessor() = Preprocessor(size, channels, file.crop ?: 1.0)

    /**
     * Return the scores of one image as real numbers.
     *
     * @param pixels size x size x channels values, as returned by a [Preprocessor].
     * @throws UserError if the runtime fails.
     */
    fun classify(pixels: ByteArray): FloatArray {
        table.fill(pixels, inputBuffer)
        // The runtime moves the position of the buffer that it fills.
        guarded { interpreter.run(inputBuffer, outputBuffer.duplicate()) }
        return output.dequantize(outputBuffer)
    }

    override fun close() = interpreter.close()

    private fun buffer(format: TensorFormat): ByteBuffer =
        ByteBuffer.allocateDirect(format.count * format.type.bytes).order(ByteOrder.nativeOrder())

    companion object {
        private const val MAX_SIDE = 2048

        /**
         * Open a model. If the accelerator cannot run it, the plain CPU does.
         *
         * @param model content of the file in a direct or mapped buffer, which must not change.
         * @param threads number of CPU threads.
         * @param delegates see [DelegateSource].
         * @throws UserError if the file is damaged, is not a classifier of square images, or uses
         *   operators that the runtime does not have.
         */
        fun open(
            model: ByteBuffer,
            threads: Int = 2,
            accelerator: Accelerator = Accelerator.XNNPACK,
            delegates: DelegateSource = { null },
        ): Classifier {
            val file = ModelFile.read(model)
            return try {
                load(model, file, threads, accelerator, null, delegates)
            } catch (error: UserError) {
                if (accelerator == Accelerator.PLAIN_CPU) throw error
                val reason = "${accelerator.name} cannot run this model, so the plain CPU runs it."
                load(model, file, threads, Accelerator.PLAIN_CPU, reason) { null }
            }
        }

        private fun load(
            model: ByteBuffer,
            file: ModelFile,
            threads: Int,
            accelerator: Accelerator,
            fallback: String?,
            delegates: DelegateSource,
        ): Classifier {
            val interpreter = guarded {
                Interpreter(model.duplicate().order(ByteOrder.nativeOrder()), interpreterOptions(accelerator, threads, delegates))
            }
            var opened = false
            try {
                guarded { interpreter.allocateTensors() }
                val (input, output) = inputAndOutput(interpreter, file)
                return Classifier(interpreter, file, input, output, accelerator, fallback).also { opened = true }
            } finally {
                if (!opened) interpreter.close()
            }
        }

        /** Return the formats of input and output after checking that this app supports them. */
        private fun inputAndOutput(interpreter: Interpreter, file: ModelFile): Pair<TensorFormat, TensorFormat> {
            if (interpreter.inputTensorCount != 1 || interpreter.outputTensorCount != 1) {
                throw UserError(
                    "The model has ${interpreter.inputTensorCount} inputs and" +
                        " ${interpreter.outputTensorCount} outputs; the app needs one of each.",
                )
            }
            val input = format(interpreter.getInputTensor(0))
            val output = format(interpreter.getOutputTensor(0))
            val shape = input.shape
            val square = shape.size == 4 && shape[0] == 1 && shape[1] == shape[2] && shape[3] in listOf(1, 3)
            if (!square || shape[1] !in 1..MAX_SIDE) {
                throw UserError(
                    "The model's input is ${shape.joinToString(" x ")}; the app needs one square image" +
                        " with 1 or 3 channels and a side of at most $MAX_SIDE pixels.",
                )
            }
            if (output.count < 1) throw UserError("The model's output is empty.")
            val labels = file.labels
            if (labels != null && labels.size != output.count) {
                throw UserError("The model has ${labels.size} labels for ${output.count} classes.")
            }
            return input to output
        }

        private fun format(tensor: Tensor): TensorFormat {
            val type = when (tensor.dataType()) {
                DataType.UINT8 -> ElementType.UINT8
                DataType.INT8 -> ElementType.INT8
                DataType.FLOAT32 -> ElementType.FLOAT32
                else -> throw UserError("Tensor ${tensor.name()} of the model is ${tensor.dataType()}; uint8, int8 and float32 are supported.")
            }
            val quantization = tensor.quantizationParams()
            // The runtime reports scale 0 for tensors without quantization.
            val scale = quantization.scale.takeIf { it != 0f && type != ElementType.FLOAT32 }
            return TensorFormat(type, tensor.shape().toList(), scale, quantization.zeroPoint)
        }

        /** Turn exceptions of the runtime into one sentence for the user. */
        private fun <T> guarded(work: () -> T): T = try {
            work()
        } catch (error: RuntimeException) {
            throw UserError("The runtime cannot run this model: ${firstLine(error)}.", error)
        } catch (error: LinkageError) {
            throw UserError("This app does not contain the runtime for this processor.", error)
        }
    }
}
