package mobilenet.tf.core

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/**
 * Pillow's antialiased BILINEAR from [side] x [side] to [size] x [size] pixels, byte for byte.
 *
 * Weights are 22-bit integers; rows first, then columns, rounded to eight bits after each. The
 * weights depend on the sides only, so one [Resize] serves every frame of a camera.
 */
class Resize(val side: Int, val size: Int) {
    private val first = IntArray(size)
    private val weights: Array<IntArray>

    init {
        val scale = side.toDouble() / size
        val reach = max(scale, 1.0)
        // Multiplying by the inverse, not dividing: the last bit of a weight depends on it.
        val inverse = 1 / reach
        weights = Array(size) { out ->
            val centre = (out + 0.5) * scale
            first[out] = max(0, (centre - reach + 0.5).toInt())
            val last = min(side, (centre + reach + 0.5).toInt())
            val share = DoubleArray(last - first[out]) { at ->
                max(0.0, 1 - abs((first[out] + at - centre + 0.5) * inverse))
            }
            var total = 0.0
            for (one in share) total += one
            IntArray(share.size) { (0.5 + share[it] / total * (1 shl BITS)).toInt() }
        }
    }

    /** @param square side x side, any number of channels. */
    fun apply(square: Picture): Picture {
        require(square.width == side && square.height == side) {
            "A picture of ${square.width} x ${square.height} was given; $side x $side is resized."
        }
        // Pillow leaves out a pass that changes nothing; so does this, it would give the same.
        if (side == size) return square
        val channels = square.channels
        val across = ByteArray(side * size * channels)
        for (row in 0 until side) {
            pass(square.pixels, row * side * channels, channels, across, row * size * channels, channels, channels)
        }
        val done = ByteArray(size * size * channels)
        for (column in 0 until size) {
            val start = column * channels
            pass(across, start, size * channels, done, start, size * channels, channels)
        }
        return Picture(size, size, channels, done)
    }

    /** One line of pixels, [fromStep] bytes apart, to one line [toStep] bytes apart. */
    private fun pass(
        from: ByteArray, fromStart: Int, fromStep: Int,
        to: ByteArray, toStart: Int, toStep: Int,
        channels: Int,
    ) {
        for (out in 0 until size) {
            val share = weights[out]
            for (channel in 0 until channels) {
                var sum = 1 shl (BITS - 1)
                var at = fromStart + first[out] * fromStep + channel
                for (weight in share) {
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
