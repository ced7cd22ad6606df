package mobilenet.tf.core

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/**
 * Resizes images of [width] x [height] pixels like Pillow's antialiased BILINEAR filter, byte for byte.
 *
 * Rows are resized first, then columns, with rounding to eight bits after each pass. The weights
 * depend on the sides only, so one [Resize] can process every frame of a camera.
 */
class Resize(val width: Int, val height: Int, val toWidth: Int, val toHeight: Int) {
    private val across = Taps(width, toWidth)
    private val down = Taps(height, toHeight)

    /** @param image an image of width x height, with any number of channels. */
    fun apply(image: ByteImage): ByteImage {
        require(image.width == width && image.height == height) {
            "The image is ${image.width} x ${image.height}; expected $width x $height."
        }
        return down(across(image))
    }

    private fun across(image: ByteImage): ByteImage {
        // Like Pillow, skip a pass that would not change the image.
        if (width == toWidth) return image
        val channels = image.channels
        val resized = ByteArray(toWidth * height * channels)
        for (row in 0 until height) {
            across.apply(image.pixels, row * width * channels, resized, row * toWidth * channels, channels, channels)
        }
        return ByteImage(toWidth, height, channels, resized)
    }

    private fun down(image: ByteImage): ByteImage {
        if (height == toHeight) return image
        val channels = image.channels
        val resized = ByteArray(toWidth * toHeight * channels)
        for (column in 0 until toWidth) {
            down.apply(image.pixels, column * channels, resized, column * channels, toWidth * channels, channels)
        }
        return ByteImage(toWidth, toHeight, channels, resized)
    }
}

/** Which pixels of a line of [side] pixels become each of [size], with weights of 22 fractional bits. */
private class Taps(private val side: Int, private val size: Int) {
    private val first = IntArray(size)
    private val weights: Array<IntArray>

    init {
        val scale = side.toDouble() / size
        val support = max(scale, 1.0)
        // Multiply by the inverse instead of dividing: it affects the last bit of a weight.
        val inverse = 1 / support
        weights = Array(size) { out ->
            val centre = (out + 0.5) * scale
            first[out] = max(0, (centre - support + 0.5).toInt())
            val last = min(side, (centre + support + 0.5).toInt())
            val triangle = DoubleArray(last - first[out]) { at ->
                max(0.0, 1 - abs((first[out] + at - centre + 0.5) * inverse))
            }
            var total = 0.0
            for (value in triangle) total += value
            IntArray(triangle.size) { (0.5 + triangle[it] / total * (1 shl BITS)).toInt() }
        }
    }

    /** Resize one line. Its neighbouring pixels, before and after, lie [step] bytes apart. */
    fun apply(from: ByteArray, fromStart: Int, to: ByteArray, toStart: Int, step: Int, channels: Int) {
        for (out in 0 until size) {
            val taps = weights[out]
            for (channel in 0 until channels) {
                var sum = 1 shl (BITS - 1)
                var at = fromStart + first[out] * step + channel
                for (weight in taps) {
                    sum += (from[at].toInt() and 0xFF) * weight
                    at += step
                }
                to[toStart + out * step + channel] = min(255, sum shr BITS).toByte()
            }
        }
    }

    private companion object {
        const val BITS = 22
    }
}
