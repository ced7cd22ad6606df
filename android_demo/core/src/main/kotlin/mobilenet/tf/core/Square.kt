package mobilenet.tf.core

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** The part of an upright picture that is kept: [side] x [side] pixels from ([left], [top]). */
data class Square(val left: Int, val top: Int, val side: Int) {
    companion object {
        /** The training's own box; [crop] is the side's share of the shorter side, in (0, 1]. */
        fun centre(width: Int, height: Int, crop: Double): Square {
            require(crop > 0 && crop <= 1) { "crop is $crop; it must be greater than 0 and at most 1." }
            val side = max(1, floor(crop * min(width, height) + 0.5).toInt())
            // Never negative, so this is Python's // as well.
            return Square((width - side) / 2, (height - side) / 2, side)
        }
    }
}

/** Something that holds pixels in its own way: a camera frame, a decoded photo. */
interface PixelSource {
    /** As stored, before turning. */
    val width: Int
    val height: Int

    /** Write red, green and blue of a stored pixel to [into] at [at]. */
    fun read(column: Int, row: Int, into: ByteArray, at: Int)
}

/**
 * Only the pixels that count: the centre square of the upright picture, RGB.
 *
 * The same as turning the whole and then cutting, at a fraction of the reads.
 */
fun PixelSource.centreSquare(upright: Upright, crop: Double): Picture {
    val wide = if (upright.sideways) height else width
    val high = if (upright.sideways) width else height
    val square = Square.centre(wide, high, crop)
    val pixels = ByteArray(square.side * square.side * 3)
    var at = 0
    for (y in square.top until square.top + square.side) {
        for (x in square.left until square.left + square.side) {
            read(upright.column(x, y, width, height), upright.row(x, y, width, height), pixels, at)
            at += 3
        }
    }
    return Picture(square.side, square.side, 3, pixels)
}

/** Pixels as Android's bitmaps give them: one Int each, 0xAARRGGBB, not premultiplied. */
class ArgbPixels(override val width: Int, override val height: Int, private val argb: IntArray) :
    PixelSource {
    override fun read(column: Int, row: Int, into: ByteArray, at: Int) {
        val pixel = argb[row * width + column]
        val alpha = pixel ushr 24
        for (channel in 0..2) {
            val value = pixel shr (16 - 8 * channel) and 0xFF
            into[at + channel] = onPaper(value, alpha).toByte()
        }
    }

    /** Transparent pixels are laid on white, as in training; Pillow's rounding. */
    private fun onPaper(value: Int, alpha: Int): Int {
        val sum = value * alpha + 255 * (255 - alpha) + 128
        return (sum + (sum shr 8)) shr 8
    }
}
