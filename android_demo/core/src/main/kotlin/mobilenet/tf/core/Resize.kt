package mobilenet.tf.core

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

/**
 * How images are resized, see `InputSpec.resize` in Python: like Pillow's antialiased BILINEAR filter,
 * or interpolated between four pixels like MediaPipe Tasks.
 */
enum class Filter { BILINEAR, MEDIAPIPE }

/**
 * Resizes images of [width] x [height] pixels as training does, byte for byte.
 *
 * The weights depend on the sides only, so one [Resize] can process every frame of a camera.
 */
class Resize(val width: Int, val height: Int, val toWidth: Int, val toHeight: Int, filter: Filter) {
    private val method: (ByteImage) -> ByteImage = when (filter) {
        Filter.BILINEAR -> Weighing(width, height, toWidth, toHeight)::apply
        Filter.MEDIAPIPE -> Interpolation(width, height, toWidth, toHeight)::apply
    }

    /** @param image an image of width x height, with any number of channels. */
    fun apply(image: ByteImage): ByteImage {
        require(image.width == width && image.height == height) {
            "The image is ${image.width} x ${image.height}; expected $width x $height."
        }
        return method(image)
    }
}

/** Which two pixels of a line of [side] each of [size] lies between, in steps of 1/32 of a pixel. */
private class Between(side: Int, size: Int) {
    val first = IntArray(size)
    val second = IntArray(size)
    val part = IntArray(size)

    init {
        for (out in 0 until size) {
            val position = out.toLong() * side * STEPS
            val steps = position / size
            val rest = 2 * (position % size)
            // A half goes to the even step.
            val rounded = (if (rest > size || rest == size.toLong() && steps % 2 == 1L) steps + 1 else steps).toInt()
            first[out] = min(rounded / STEPS, side - 1)
            second[out] = min(first[out] + 1, side - 1)
            part[out] = rounded % STEPS
        }
    }

    companion object {
        const val STEPS = 32
    }
}

/** Each new pixel is interpolated between four, and rounded once. */
private class Interpolation(private val width: Int, height: Int, private val toWidth: Int, private val toHeight: Int) {
    private val across = Between(width, toWidth)
    private val down = Between(height, toHeight)

    fun apply(image: ByteImage): ByteImage {
        val channels = image.channels
        val resized = ByteArray(toWidth * toHeight * channels)
        fun value(x: Int, y: Int, channel: Int) = image.pixels[(y * width + x) * channels + channel].toInt() and 0xFF
        fun row(y: Int, out: Int, channel: Int) =
            value(across.first[out], y, channel) * (Between.STEPS - across.part[out]) + value(across.second[out], y, channel) * across.part[out]
        var at = 0
        for (y in 0 until toHeight) {
            for (x in 0 until toWidth) {
                for (channel in 0 until channels) {
                    val sum = row(down.first[y], x, channel) * (Between.STEPS - down.part[y]) + row(down.second[y], x, channel) * down.part[y]
                    resized[at++] = ((sum + HALF) shr SHIFT).toByte()
                }
            }
        }
        return ByteImage(toWidth, toHeight, channels, resized)
    }

    private companion object {
        const val SHIFT = 10 // of the square of the steps
        const val HALF = 1 shl (SHIFT - 1)
    }
}

/** Pillow's antialiased BILINEAR: rows first, then columns, with rounding to eight bits after each pass. */
private class Weighing(private val width: Int, private val height: Int, private val toWidth: Int, private val toHeight: Int) {
    private val across = Taps(width, toWidth)
    private val down = Taps(height, toHeight)

    fun apply(image: ByteImage): ByteImage = down(across(image))

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
