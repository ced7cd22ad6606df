package mobilenet.tf.core

import java.nio.ByteBuffer

/** A file, or a picture, that cannot be used; the message is one sentence for the screen. */
class Unusable(message: String, cause: Throwable? = null) : Exception(message, cause)

/** Types of input and output that this app serves. */
enum class ElementType(val bytes: Int) { UINT8(1), INT8(1), FLOAT32(4) }

/**
 * What a tensor's numbers mean.
 *
 * @property scale real = (integer - zeroPoint) * scale; null without quantization.
 */
data class TensorFormat(
    val type: ElementType,
    val shape: List<Int>,
    val scale: Float?,
    val zeroPoint: Int = 0,
) {
    /** Numbers in the tensor. */
    val count: Int get() = shape.fold(1, Int::times)

    /** The tensor's content as real numbers. */
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
 * What the network is given for each pixel value, in the input's own type.
 *
 * One table of 256 entries per channel serves every file; for this project's own it is the pixel
 * itself (uint8) or pixel - 128 (int8).
 *
 * @param mean per channel or one for all; null where the file does not say.
 * @throws Unusable for a float input without mean and standard deviation.
 */
class InputTable(private val format: TensorFormat, mean: FloatArray?, std: FloatArray?) {
    private val channels = format.shape.last()
    private val floats = FloatArray(256 * channels)
    private val bytes = ByteArray(256 * channels)

    init {
        val known = mean != null && std != null
        if (format.type == ElementType.FLOAT32 && !known) {
            throw Unusable("The file takes float input, and its metadata states no mean and no std.")
        }
        for (pixel in 0..255) for (channel in 0 until channels) {
            val at = pixel * channels + channel
            if (!known || (format.type != ElementType.FLOAT32 && format.scale == null)) {
                // The custom where nothing is stated: pixels, shifted if signed.
                bytes[at] = (if (format.type == ElementType.INT8) pixel - 128 else pixel).toByte()
                continue
            }
            // In doubles, as in training; floats would move some values by one step.
            val real = (pixel - mean.of(channel)) / std.of(channel)
            if (format.type == ElementType.FLOAT32) floats[at] = real.toFloat()
            else bytes[at] = quantize(real).toByte()
        }
    }

    private fun FloatArray?.of(channel: Int): Double = this!![if (size == 1) 0 else channel].toDouble()

    private fun quantize(real: Double): Int {
        val step = Math.rint(real / format.scale!!.toDouble()) + format.zeroPoint
        val (low, high) = if (format.type == ElementType.INT8) -128.0 to 127.0 else 0.0 to 255.0
        return step.coerceIn(low, high).toInt()
    }

    /** Fill the input tensor, in native byte order, from its start. */
    fun fill(pixels: ByteArray, input: ByteBuffer) {
        require(pixels.size == format.count) {
            "${pixels.size} pixel values were given; the network takes ${format.count}."
        }
        input.clear()
        for (at in pixels.indices) {
            val entry = (pixels[at].toInt() and 0xFF) * channels + at % channels
            if (format.type == ElementType.FLOAT32) input.putFloat(floats[entry]) else input.put(bytes[entry])
        }
        input.rewind()
    }
}
