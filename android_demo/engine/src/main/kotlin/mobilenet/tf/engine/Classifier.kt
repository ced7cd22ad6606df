package mobilenet.tf.engine

import java.nio.ByteBuffer
import java.nio.ByteOrder
import mobilenet.tf.core.ElementType
import mobilenet.tf.core.InputTable
import mobilenet.tf.core.ModelFile
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.TensorFormat
import mobilenet.tf.core.Unusable
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor

/**
 * A `.tflite` classifier of pictures: pixels in, scores out. Everything it needs to know, sizes,
 * types, quantization, labels and preprocessing, is read from the file.
 *
 * For one thread at a time. Open it with [Classifier.open], and close it.
 *
 * @property accelerator what computes, which may not be what was asked for.
 * @property fallback why it is not, as a sentence; null if it is.
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

    /** Side of the square input in pixels. */
    val size: Int get() = input.shape[1]

    val channels: Int get() = input.shape[3]

    /** One per class, or null where the file has none. */
    val labels: List<String>? get() = file.labels

    /** Prepares pictures as this file's training did. */
    fun preprocessor() = Preprocessor(size, channels, file.crop ?: 1.0)

    /**
     * Scores of one picture, as real numbers.
     *
     * @param pixels size x size x channels, as a [Preprocessor] gives them.
     * @throws Unusable if the runtime fails.
     */
    fun classify(pixels: ByteArray): FloatArray {
        table.fill(pixels, inputBuffer)
        outputBuffer.clear()
        guarded { interpreter.run(inputBuffer, outputBuffer) }
        return output.dequantize(outputBuffer)
    }

    override fun close() = interpreter.close()

    private fun buffer(format: TensorFormat): ByteBuffer =
        ByteBuffer.allocateDirect(format.count * format.type.bytes).order(ByteOrder.nativeOrder())

    companion object {
        /**
         * Open a model, on the plain CPU if the accelerator refuses it.
         *
         * @param model the file's bytes in a direct buffer, or mapped; they must stay as they are.
         * @param threads of the CPU.
         * @param delegates see [DelegateSource].
         * @throws Unusable if the file is damaged, is no classifier of square pictures, or has what
         *   the runtime lacks.
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
            } catch (error: Unusable) {
                if (accelerator == Accelerator.PLAIN_CPU) throw error
                val reason = "${accelerator.name} refused this model, so the plain CPU runs it."
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
            try {
                guarded { interpreter.allocateTensors() }
                val (input, output) = ends(interpreter, file)
                return Classifier(interpreter, file, input, output, accelerator, fallback)
            } catch (error: Unusable) {
                interpreter.close()
                throw error
            }
        }

        /** Input and output, after checking that this app can serve them. */
        private fun ends(interpreter: Interpreter, file: ModelFile): Pair<TensorFormat, TensorFormat> {
            if (interpreter.inputTensorCount != 1 || interpreter.outputTensorCount != 1) {
                throw Unusable(
                    "The model has ${interpreter.inputTensorCount} inputs and" +
                        " ${interpreter.outputTensorCount} outputs; one of each is needed.",
                )
            }
            val input = format(interpreter.getInputTensor(0))
            val output = format(interpreter.getOutputTensor(0))
            val shape = input.shape
            val square = shape.size == 4 && shape[0] == 1 && shape[1] == shape[2] && shape[3] in listOf(1, 3)
            if (!square) {
                throw Unusable(
                    "The model takes an input of ${shape.joinToString(" x ")}; one square picture" +
                        " with 1 or 3 channels is needed.",
                )
            }
            val labels = file.labels
            if (labels != null && labels.size != output.count) {
                throw Unusable("The model has ${labels.size} labels for ${output.count} classes.")
            }
            return input to output
        }

        private fun format(tensor: Tensor): TensorFormat {
            val type = when (tensor.dataType()) {
                DataType.UINT8 -> ElementType.UINT8
                DataType.INT8 -> ElementType.INT8
                DataType.FLOAT32 -> ElementType.FLOAT32
                else -> throw Unusable("The model's ${tensor.name()} is ${tensor.dataType()}; uint8, int8 and float32 are served.")
            }
            val quantization = tensor.quantizationParams()
            // The runtime says 0 where there is none.
            val scale = quantization.scale.takeIf { it != 0f && type != ElementType.FLOAT32 }
            return TensorFormat(type, tensor.shape().toList(), scale, quantization.zeroPoint)
        }

        /** What the runtime throws, as a sentence. */
        private fun <T> guarded(work: () -> T): T = try {
            work()
        } catch (error: RuntimeException) {
            throw Unusable("The runtime cannot run this model: ${firstLine(error)}.", error)
        } catch (error: LinkageError) {
            throw Unusable("The runtime is not in this app for this processor.", error)
        }

        private fun firstLine(error: Throwable): String =
            error.message.orEmpty().trim().lineSequence().first().trimEnd('.').ifEmpty { error.javaClass.simpleName }
    }
}
