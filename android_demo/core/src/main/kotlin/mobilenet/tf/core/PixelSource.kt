package mobilenet.tf.core

/** An image in some storage format, such as a camera frame or a decoded photo. */
interface PixelSource {
    /** Width as stored, before rotation. */
    val width: Int

    /** Height as stored, before rotation. */
    val height: Int

    /** Write red, green and blue of a stored pixel to [into], starting at [at]. */
    fun read(column: Int, row: Int, into: ByteArray, at: Int)
}

/**
 * Return a part of the upright image as RGB.
 *
 * Equivalent to rotating the whole image and then cropping, but reads only the pixels of the part.
 */
fun PixelSource.part(orientation: Orientation, box: Box): ByteImage {
    val pixels = ByteArray(box.width * box.height * 3)
    var at = 0
    for (y in box.top until box.bottom) {
        for (x in box.left until box.right) {
            read(orientation.column(x, y, width, height), orientation.row(x, y, width, height), pixels, at)
            at += 3
        }
    }
    return ByteImage(box.width, box.height, 3, pixels)
}

/** Pixels of an Android bitmap: one Int per pixel, 0xAARRGGBB, not premultiplied. */
class ArgbPixels(override val width: Int, override val height: Int, private val argb: IntArray) :
    PixelSource {
    override fun read(column: Int, row: Int, into: ByteArray, at: Int) {
        val pixel = argb[row * width + column]
        val alpha = pixel ushr 24
        for (channel in 0..2) {
            val value = pixel shr (16 - 8 * channel) and 0xFF
            into[at + channel] = blendOnWhite(value, alpha).toByte()
        }
    }

    /** Blend a transparent pixel onto white, as in training, with Pillow's rounding. */
    private fun blendOnWhite(value: Int, alpha: Int): Int {
        val sum = value * alpha + 255 * (255 - alpha) + 128
        return (sum + (sum shr 8)) shr 8
    }
}
