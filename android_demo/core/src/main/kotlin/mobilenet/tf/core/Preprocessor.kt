package mobilenet.tf.core

import kotlin.math.ceil
import kotlin.math.min

/**
 * From pixels as a camera or a photo holds them to those that the network sees, as in training:
 * upright, centre square, resize, and grey after the resize.
 *
 * Not for two threads at once.
 *
 * @param size side of the network's input.
 * @param channels 3 or 1.
 * @param crop see [Square.centre].
 */
class Preprocessor(private val size: Int, private val channels: Int, private val crop: Double) {
    private var last: Resize? = null

    /** @return size x size x channels. */
    fun prepare(source: PixelSource, upright: Upright): Picture {
        val square = source.centreSquare(upright, crop)
        val resize = last?.takeIf { it.side == square.width } ?: Resize(square.width, size)
        last = resize
        val picture = resize.apply(square)
        return if (channels == 1) picture.toGrey() else picture
    }

    companion object {
        /**
         * The divisor at which a large JPEG is decoded, as in training: the largest of 8, 4, 2, 1
         * that leaves twice the pixels the network needs.
         */
        fun jpegDivisor(width: Int, height: Int, size: Int, crop: Double): Int {
            val atLeast = ceil(2 * size / crop).toInt()
            return listOf(8, 4, 2).firstOrNull { min(width, height) / it >= atLeast } ?: 1
        }
    }
}
