package mobilenet.tf.core

import java.nio.ByteBuffer

/** Tensor types that this app supports as input and output. */
enum class ElementType(val bytes: Int) { UINT8(1), INT8(1), FLOAT32(4) }

/**
 * Type, shape and quantization of a tensor.
 *
 * @property scale real = (integer - zeroPoint) * scale; null if the tensor is not quantized.
 */
data class TensorFormat(
    val type: ElementType,
    val shape: List<Int>,
    val scale: Float?,
    val zeroPoint: Int = 0,
) {
    /** Number of elements. */
    val count: Int get() = shape.fold(1, Int::times)

    /** Return the tensor's content as real numbers. */
    fun dequantize(content: ByteBuffer): FloatArray = FloatArray(count) { at ->
        when (type) {
            ElementType.FLOAT32 -> content.getFloat(4 * at)
            ElementType.UINT8 -> real(content.get(at).toInt() and 0xFF)
            ElementType.INT8 -> real(content.get(at).toInt())
        }
    }

    private fun real(integer: Int): Float =
        if (scale == null) integer.toFloat() else (integer - zeroPoint).toFloat() * scale
}

/**
 * Lookup table from 8-bit pixel values to values of the input tensor.
 *
 * The table has 256 entries per channel. For this project's files, an entry is the pixel value itself
 * (uint8) or the pixel value minus 128 (int8).
 *
 * @param mean one value per channel, or one for all; null if the file does not contain it.
 * @param std as [mean].
 * @throws UserError if the input is float and the mean or standard deviation is missing, or if they do
 *   not have one value per channel.
 */
class InputTable(private val format: TensorFormat, mean: FloatArray?, std: FloatArray?) {
    private val channels = format.shape.last()
    private val floats = FloatArray(256 * channels)
    private val bytes = ByteArray(256 * channels)

    init {
        for ((name, values) in listOf("mean" to mean, "std" to std)) {
            if (values != null && values.size != 1 && values.size != channels) {
                throw UserError("The model's $name has ${values.size} values for $channels channels.")
            }
        }
        val known = mean != null && std != null
        if (format.type == ElementType.FLOAT32 && !known) {
            throw UserError("The model's input is float32, but its metadata has no mean and std.")
        }
        for (pixel in 0..255) for (channel in 0 until channels) {
            val at = pixel * channels + channel
            if (!known || (format.type != ElementType.FLOAT32 && format.scale == null)) {
                // The convention without metadata: pixel values, shifted if signed.
                bytes[at] = (if (format.type == ElementType.INT8) pixel - 128 else pixel).toByte()
                continue
            }
            // Compute in doubles, as in training; with floats some values would be off by one LSB.
            val real = (pixel - mean.of(channel)) / std.of(channel)
            if (format.type == ElementType.FLOAT32) floats[at] = real.toFloat()
            else bytes[at] = quantize(real).toByte()
        }
    }

    private fun FloatArray?.of(channel: Int): Double = this!![if (size == 1) 0 else channel].toDouble()

    private fun quantize(real: Double): Int {
        val step = Math.rint(real / format.scale!!.toDouble()) + format.zeroPoint
        val (lowest, highest) = if (format.type == ElementType.INT8) -128.0 to 127.0 else 0.0 to 255.0
        return step.coerceIn(lowest, highest).toInt()
    }

    /** Write the pixels into the input tensor, in native byte order. */
    fun fill(pixels: ByteArray, input: ByteBuffer) {
        require(pixels.size == format.count) {
            "The image has ${pixels.size} pixel values; the model expects ${format.count}."
        }
        for (at in pixels.indices) {
            val entry = (pixels[at].toInt() and 0xFF) * channels + at % channels
            if (format.type == ElementType.FLOAT32) input.putFloat(4 * at, floats[entry]) else input.put(at, bytes[entry])
        }
    }
}
