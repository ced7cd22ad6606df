package mobilenet.tf.core

import kotlin.math.ceil
import kotlin.math.min

/**
 * Turns a camera frame or a photo into the network's input pixels, exactly as in training: rotate
 * upright, crop the centre square, resize, and convert to grey after resizing if needed.
 *
 * Not thread-safe.
 *
 * @param size side of the network's input in pixels.
 * @param channels 3 (RGB) or 1 (grey).
 * @param crop fraction of the shorter side, see [CropBox.centre].
 */
class Preprocessor(private val size: Int, private val channels: Int, private val crop: Double) {
    private var last: Resize? = null

    /** @return an image of size x size x channels. */
    fun prepare(source: PixelSource, orientation: Orientation): ByteImage {
        val square = source.centreCrop(orientation, crop)
        val resize = last?.takeIf { it.side == square.width } ?: Resize(square.width, size)
        last = resize
        val image = resize.apply(square)
        return if (channels == 1) image.toGrey() else image
    }

    companion object {
        /**
         * Return the factor by which a photo is reduced while decoding, as in training: for a JPEG the
         * largest of 8, 4, 2 and 1 that leaves at least twice the side that the network needs. Other
         * formats are decoded whole, because their decoders reduce by leaving pixels out.
         *
         * @param type the file's MIME type; null if it is unknown.
         */
        fun divisor(type: String?, width: Int, height: Int, size: Int, crop: Double): Int {
            val atLeast = ceil(2 * size / crop).toInt()
            return listOf(8, 4, 2).firstOrNull { type == "image/jpeg" && min(width, height) / it >= atLeast } ?: 1
        }
    }
}
