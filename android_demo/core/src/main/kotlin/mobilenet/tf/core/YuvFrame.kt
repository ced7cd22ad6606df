package mobilenet.tf.core

import java.nio.ByteBuffer

/**
 * One plane of a camera frame. The device chooses both strides: rows may be longer than the image,
 * and the samples of two planes may be interleaved.
 */
class Plane(private val bytes: ByteBuffer, private val rowStride: Int, private val pixelStride: Int) {
    /** Return a sample, 0 to 255. */
    fun at(column: Int, row: Int): Int =
        bytes.get(row * rowStride + column * pixelStride).toInt() and 0xFF

    internal val size: Int get() = bytes.remaining()

    /** Return the same plane in an array of [size] bytes. */
    internal fun copy(into: ByteArray): Plane {
        bytes.duplicate().get(into)
        return Plane(ByteBuffer.wrap(into), rowStride, pixelStride)
    }
}

/**
 * A camera frame in YUV_420_888: full-range BT.601 as in JFIF, with one chroma sample per 2 x 2 pixels.
 *
 * The conversion to RGB uses the integer arithmetic of the JPEG decoder that read the training images.
 */
class YuvFrame(
    override val width: Int,
    override val height: Int,
    internal val y: Plane,
    internal val u: Plane,
    internal val v: Plane,
) : PixelSource {
    override fun read(column: Int, row: Int, into: ByteArray, at: Int) {
        val luma = y.at(column, row)
        val blue = u.at(column shr 1, row shr 1) - 128
        val red = v.at(column shr 1, row shr 1) - 128
        into[at] = clamp(luma + (91881 * red + HALF shr 16))
        into[at + 1] = clamp(luma + (-22554 * blue - 46802 * red + HALF shr 16))
        into[at + 2] = clamp(luma + (116130 * blue + HALF shr 16))
    }

    private fun clamp(value: Int): Byte = value.coerceIn(0, 255).toByte()

    private companion object {
        const val HALF = 1 shl 15
    }
}
