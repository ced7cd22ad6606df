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
import mobilenet.tf.tasks.Description
import mobilenet.tf.tasks.Task
import mobilenet.tf.tasks.Tasks
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor

/**
 * A `.tflite` with one image as input. Sizes, types, quantization, task, labels and preprocessing are
 * read from the file.
 *
 * Not thread-safe. Open it with [ImageModel.open] and close it after use.
 *
 * @property outputs formats of the outputs, in the order of the file and of its metadata.
 * @property task what the outputs mean.
 * @property accelerator accelerator that runs the model, which may differ from the requested one.
 * @property fallback one sentence on why the requested accelerator is not used; null if it is used.
 */
class ImageModel private constructor(
    private val interpreter: Interpreter,
    val file: ModelFile,
    val input: TensorFormat,
    val outputs: List<TensorFormat>,
    val task: Task,
    val accelerator: Accelerator,
    val fallback: String?,
) : AutoCloseable {
    private val table = InputTable(input, file.mean, file.std)
    private val inputBuffer = buffer(input)
    private val outputBuffers = outputs.map(::buffer)

    /** Return the preprocessing with which this model was trained. */
    fun preprocessor(): Preprocessor {
        val (_, height, width, channels) = input.shape
        return Preprocessor(width, height, channels, file.fit, file.crop ?: 1.0, file.filter, file.padding)
    }

    /**
     * Return each output for one image as real numbers.
     *
     * @param pixels height x width x channels values, as returned by a [Preprocessor].
     * @throws UserError if the runtime fails.
     */
    fun run(pixels: ByteArray): List<FloatArray> {
        table.fill(pixels, inputBuffer)
        // The runtime moves the position of the buffers that it fills.
        val results = outputBuffers.indices.associateWith { outputBuffers[it].duplicate() }
        guarded { interpreter.runForMultipleInputsOutputs(arrayOf<Any>(inputBuffer), results) }
        return outputs.zip(outputBuffers, TensorFormat::dequantize)
    }

    override fun close() = interpreter.close()

    private fun buffer(format: TensorFormat): ByteBuffer =
        ByteBuffer.allocateDirect(format.count * format.type.bytes).order(ByteOrder.nativeOrder())

    companion object {
        private const val MAX_SIDE = 2048
        private const val MAX_OUTPUTS = 64
        private const val MAX_VALUES = 1 shl 24

        /**
         * Open a model. If the accelerator cannot run it, the plain CPU does.
         *
         * @param model content of the file in a direct or mapped buffer, which must not change.
         * @param threads number of CPU threads.
         * @param delegates see [DelegateSource].
         * @throws UserError if the file is damaged, does not take one image, is not of a task that the app
         *   knows, or uses operators that the runtime does not have.
         */
        fun open(
            model: ByteBuffer,
            threads: Int = 2,
            accelerator: Accelerator = Accelerator.XNNPACK,
            delegates: DelegateSource = { null },
        ): ImageModel {
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
        ): ImageModel {
            val interpreter = guarded {
                Interpreter(model.duplicate().order(ByteOrder.nativeOrder()), interpreterOptions(accelerator, threads, delegates))
            }
            var opened = false
            try {
                guarded { interpreter.allocateTensors() }
                val (input, outputs) = inputAndOutputs(interpreter)
                val task = Tasks.of(Description(file, input, outputs))
                return ImageModel(interpreter, file, input, outputs, task, accelerator, fallback).also { opened = true }
            } finally {
                if (!opened) interpreter.close()
            }
        }

        /** Return the formats of input and outputs after checking that this app supports them. */
        private fun inputAndOutputs(interpreter: Interpreter): Pair<TensorFormat, List<TensorFormat>> {
            if (interpreter.inputTensorCount != 1 || interpreter.outputTensorCount !in 1..MAX_OUTPUTS) {
                throw UserError(
                    "The model has ${interpreter.inputTensorCount} inputs and" +
                        " ${interpreter.outputTensorCount} outputs; the app needs one input and 1 to $MAX_OUTPUTS outputs.",
                )
            }
            val input = format(interpreter.getInputTensor(0))
            val shape = input.shape
            val image = shape.size == 4 && shape[0] == 1 && shape[3] in listOf(1, 3)
            if (!image || shape[1] !in 1..MAX_SIDE || shape[2] !in 1..MAX_SIDE) {
                throw UserError(
                    "The model's input is ${shape.joinToString(" x ")}; the app needs one image" +
                        " with 1 or 3 channels and sides of at most $MAX_SIDE pixels.",
                )
            }
            val outputs = List(interpreter.outputTensorCount) { format(interpreter.getOutputTensor(it)) }
            if (outputs.any { it.count !in 1..MAX_VALUES }) throw UserError("The model has an output that is empty or too large.")
            return input to outputs
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
