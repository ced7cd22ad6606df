package mobilenet.tf.core

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** How an image of another shape becomes the input, see `InputSpec` in Python. */
enum class Fit { CROP, STRETCH, PAD }

/** A rectangle in pixels; [right] and [bottom] lie outside of it. */
data class Box(val left: Int, val top: Int, val right: Int, val bottom: Int) {
    val width: Int get() = right - left
    val height: Int get() = bottom - top

    companion object {
        /** Return the centred box of [share] * [across] by [share] * [down] pixels, rounded, at least one pixel. */
        internal fun centred(width: Int, height: Int, across: Double, down: Double, share: Double): Box {
            val (wide, high) = listOf(across to width, down to height).map { (side, most) ->
                min(most, max(1, floor(share * side + 0.5).toInt()))
            }
            // The differences are never negative, so / rounds as Python's // does.
            val (left, top) = (width - wide) / 2 to (height - high) / 2
            return Box(left, top, left + wide, top + high)
        }
    }
}

/**
 * Where an upright image of [width] x [height] pixels lands in an input of [inputWidth] x [inputHeight].
 *
 * @property source the part of the image that is used, in its pixels.
 * @property target the part of the input that it fills, in the input's pixels.
 */
data class Placement(
    val width: Int,
    val height: Int,
    val inputWidth: Int,
    val inputHeight: Int,
    val source: Box,
    val target: Box,
) {
    /** Map a share of the input's width to a share of the image's width. */
    fun x(share: Float): Float =
        (source.left + (share * inputWidth - target.left) * source.width / target.width) / width

    /** Map a share of the input's height to a share of the image's height. */
    fun y(share: Float): Float =
        (source.top + (share * inputHeight - target.top) * source.height / target.height) / height

    companion object {
        /**
         * Return the same placement as in training.
         *
         * @param crop share of the image that is used of what [fit] allows, in (0, 1].
         */
        fun of(width: Int, height: Int, inputWidth: Int, inputHeight: Int, fit: Fit, crop: Double): Placement {
            require(crop > 0 && crop <= 1) { "crop is $crop; it must be greater than 0 and at most 1." }
            val whole = Box(0, 0, inputWidth, inputHeight)
            // Multiply before dividing, so that the sides of a square are exact.
            val source = if (fit == Fit.CROP) {
                val across = min(width.toDouble(), height.toDouble() * inputWidth / inputHeight)
                val down = min(height.toDouble(), width.toDouble() * inputHeight / inputWidth)
                Box.centred(width, height, across, down, crop)
            } else {
                Box.centred(width, height, width.toDouble(), height.toDouble(), crop)
            }
            val target = if (fit == Fit.PAD) {
                val scale = min(inputWidth.toDouble() / source.width, inputHeight.toDouble() / source.height)
                Box.centred(inputWidth, inputHeight, scale * source.width, scale * source.height, 1.0)
            } else {
                whole
            }
            return Placement(width, height, inputWidth, inputHeight, source, target)
        }
    }
}
