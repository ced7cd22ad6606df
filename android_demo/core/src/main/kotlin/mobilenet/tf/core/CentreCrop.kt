package mobilenet.tf.core

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** A square region of an upright image: [side] x [side] pixels from ([left], [top]). */
data class CropBox(val left: Int, val top: Int, val side: Int) {
    companion object {
        /**
         * Return the same centre crop as in training.
         *
         * @param crop side of the crop as a fraction of the shorter side, in (0, 1].
         */
        fun centre(width: Int, height: Int, crop: Double): CropBox {
            require(crop > 0 && crop <= 1) { "crop is $crop; it must be greater than 0 and at most 1." }
            val side = max(1, floor(crop * min(width, height) + 0.5).toInt())
            // The differences are never negative, so / rounds as Python's // does.
            return CropBox((width - side) / 2, (height - side) / 2, side)
        }
    }
}

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
 * Return the centre square of the upright image as RGB.
 *
 * Equivalent to rotating the whole image and then cropping, but reads only the pixels of the crop.
 */
fun PixelSource.centreCrop(orientation: Orientation, crop: Double): ByteImage {
    val uprightWidth = if (orientation.swapsSides) height else width
    val uprightHeight = if (orientation.swapsSides) width else height
    val box = CropBox.centre(uprightWidth, uprightHeight, crop)
    val pixels = ByteArray(box.side * box.side * 3)
    var at = 0
    for (y in box.top until box.top + box.side) {
        for (x in box.left until box.left + box.side) {
            read(orientation.column(x, y, width, height), orientation.row(x, y, width, height), pixels, at)
            at += 3
        }
    }
    return ByteImage(box.side, box.side, 3, pixels)
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
