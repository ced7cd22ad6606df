package mobilenet.tf.core

import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min

/**
 * Turns a camera frame or a photo into the network's input pixels, exactly as in training: rotate
 * upright, take the part that [Placement] says, resize, convert to grey after resizing if needed, and
 * pad.
 *
 * Not thread-safe.
 *
 * @param width of the network's input in pixels.
 * @param height of the network's input.
 * @param channels 3 (RGB) or 1 (grey).
 * @param crop see [Placement.of].
 * @param filter how the part is resized.
 * @param padding grey level of what the image does not fill.
 */
class Preprocessor(
    private val width: Int,
    private val height: Int,
    private val channels: Int,
    private val fit: Fit = Fit.CROP,
    private val crop: Double = 1.0,
    private val filter: Filter = Filter.BILINEAR,
    private val padding: Int = 128,
) {
    private var last: Resize? = null

    /** Return where an image lands in the input. */
    fun placement(source: PixelSource, orientation: Orientation): Placement {
        val (wide, high) = orientation.upright(source.width, source.height)
        return Placement.of(wide, high, width, height, fit, crop)
    }

    /** @return an image of width x height x channels. */
    fun prepare(source: PixelSource, orientation: Orientation): ByteImage {
        val placement = placement(source, orientation)
        val (from, to) = placement.source to placement.target
        val resize = last?.takeIf { it.width == from.width && it.height == from.height && it.toWidth == to.width && it.toHeight == to.height }
            ?: Resize(from.width, from.height, to.width, to.height, filter)
        last = resize
        val image = resize.apply(source.part(orientation, from))
        return padded(if (channels == 1) image.toGrey() else image, to)
    }

    private fun padded(image: ByteImage, target: Box): ByteImage {
        if (image.width == width && image.height == height) return image
        val pixels = ByteArray(width * height * channels) { padding.toByte() }
        val row = image.width * channels
        for (y in 0 until image.height) {
            val at = ((y + target.top) * width + target.left) * channels
            image.pixels.copyInto(pixels, at, y * row, (y + 1) * row)
        }
        return ByteImage(width, height, channels, pixels)
    }

    /**
     * Return the factor by which a photo is reduced while decoding, as in training: for a JPEG the
     * largest of 8, 4, 2 and 1 that leaves at least twice the side that the network needs. Other
     * formats are decoded whole, because their decoders reduce by leaving pixels out, and so is all
     * that is interpolated, because it takes single pixels of the file.
     *
     * @param type the file's MIME type; null if it is unknown.
     */
    fun divisor(type: String?, imageWidth: Int, imageHeight: Int): Int {
        if (filter == Filter.MEDIAPIPE) return 1
        val atLeast = ceil(2 * max(width, height) / crop).toInt()
        return listOf(8, 4, 2).firstOrNull { type == "image/jpeg" && min(imageWidth, imageHeight) / it >= atLeast } ?: 1
    }
}
