package mobilenet.tf.core

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/**
 * Resizes [side] x [side] to [size] x [size] pixels like Pillow's antialiased BILINEAR filter, byte
 * for byte.
 *
 * The weights are 22-bit integers. Rows are resized first, then columns, with rounding to eight
 * bits after each pass. The weights depend on the two sides only, so one [Resize] can process every
 * frame of a camera.
 */
class Resize(val side: Int, val size: Int) {
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

    /** @param square an image of side x side, with any number of channels. */
    fun apply(square: ByteImage): ByteImage {
        require(square.width == side && square.height == side) {
            "The image is ${square.width} x ${square.height}; expected $side x $side."
        }
        // Like Pillow, skip a pass that would not change the image.
        if (side == size) return square
        val channels = square.channels
        val resizedRows = ByteArray(side * size * channels)
        for (row in 0 until side) {
            pass(square.pixels, row * side * channels, channels, resizedRows, row * size * channels, channels, channels)
        }
        val resized = ByteArray(size * size * channels)
        for (column in 0 until size) {
            val start = column * channels
            pass(resizedRows, start, size * channels, resized, start, size * channels, channels)
        }
        return ByteImage(size, size, channels, resized)
    }

    /** Resize one line of pixels. Neighbours lie [fromStep] and [toStep] bytes apart. */
    private fun pass(
        from: ByteArray, fromStart: Int, fromStep: Int,
        to: ByteArray, toStart: Int, toStep: Int,
        channels: Int,
    ) {
        for (out in 0 until size) {
            val taps = weights[out]
            for (channel in 0 until channels) {
                var sum = 1 shl (BITS - 1)
                var at = fromStart + first[out] * fromStep + channel
                for (weight in taps) {
                    sum += (from[at].toInt() and 0xFF) * weight
                    at += fromStep
                }
                to[toStart + out * toStep + channel] = min(255, sum shr BITS).toByte()
            }
        }
    }

    private companion object {
        const val BITS = 22
    }
}
