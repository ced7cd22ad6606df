package mobilenet.tf.tasks

import mobilenet.tf.core.UserError

/**
 * A class for every pixel. Its only output has logits (1, h, w, classes) on a grid that is coarser than
 * the input by whole factors.
 *
 * Logits are enlarged to the input bilinearly, with half-pixel centres and edges repeated, and each
 * pixel gets the class with the largest one; of equal ones, the first.
 */
class Segmentation(private val file: Description) : Task {
    private val height = file.input.shape[1]
    private val width = file.input.shape[2]
    private val rows: Int
    private val columns: Int
    private val classes: Int
    private val colours: IntArray

    init {
        val shape = file.outputs.singleOrNull()?.shape.orEmpty()
        if (shape.size != 4 || shape.any { it < 1 } || height % shape[1] != 0 || width % shape[2] != 0 || shape[3] > MOST_CLASSES) {
            throw UserError("The model's outputs are not the logits of a segmenter for an input of $width x $height pixels.")
        }
        rows = shape[1]
        columns = shape[2]
        classes = shape[3]
        file.checkLabels(classes)
        val stated = file.constants.list("colours")
        colours = IntArray(classes) { parsed(stated.getOrNull(it)) ?: classColour(it) }
    }

    private val down = enlargement(height, rows)
    private val across = enlargement(width, columns)

    /** The classes of the image by their share of its pixels; the first class has no colour. */
    override fun decode(outputs: List<FloatArray>, request: Request): Decoded {
        val found = classesOf(outputs.single())
        val pixels = IntArray(classes)
        for (y in request.filled.top until request.filled.bottom) {
            for (x in request.filled.left until request.filled.right) pixels[found[y * width + x]]++
        }
        val total = request.filled.width * request.filled.height
        val largest = (0 until classes).filter { pixels[it] > 0 }.sortedByDescending { pixels[it] }
        return Decoded(
            largest.take(request.results).map { Prediction(file.label(it), pixels[it] / total.toFloat(), colours[it].takeIf { _ -> it > 0 }) },
            NoAnswer.NOTHING_FOUND,
            mask = Mask(width, height, IntArray(found.size) { if (found[it] == 0) 0 else colours[found[it]] and SHADE }),
        )
    }

    /** Return the class of each pixel of the input, row by row. */
    internal fun classesOf(logits: FloatArray): IntArray {
        val line = DoubleArray(columns * classes)
        val best = IntArray(width * height)
        for (y in 0 until height) {
            // Sums of products with small integers are exact in doubles, in any order.
            val above = down.lower[y] * line.size
            val below = down.upper[y] * line.size
            for (at in line.indices) line[at] = logits[above + at].toDouble() * down.lowerWeight[y] + logits[below + at].toDouble() * down.upperWeight[y]
            for (x in 0 until width) best[y * width + x] = largest(line, x)
        }
        return best
    }

    private fun largest(line: DoubleArray, x: Int): Int {
        val left = across.lower[x] * classes
        val right = across.upper[x] * classes
        var best = 0
        var most = Double.NEGATIVE_INFINITY
        for (index in 0 until classes) {
            val value = line[left + index] * across.lowerWeight[x] + line[right + index] * across.upperWeight[x]
            if (value > most) {
                most = value
                best = index
            }
        }
        return best
    }

    /** Two neighbours of each pixel of an enlarged line, with weights whose sum is twice the factor. */
    private class Enlargement(val lower: IntArray, val upper: IntArray, val lowerWeight: IntArray, val upperWeight: IntArray)

    private companion object {
        const val MOST_CLASSES = 255

        /** Of a colour over the image: 60 %. */
        const val SHADE = 0x99FFFFFF.toInt()

        fun enlargement(large: Int, small: Int): Enlargement {
            val factor = large / small
            // Centre of a large pixel, less that of the first small one, in units of 1 / (2 * factor).
            val places = IntArray(large) { 2 * it + 1 - factor }
            val lower = IntArray(large) { Math.floorDiv(places[it], 2 * factor) }
            val upperWeight = IntArray(large) { Math.floorMod(places[it], 2 * factor) }
            return Enlargement(
                IntArray(large) { lower[it].coerceIn(0, small - 1) },
                IntArray(large) { (lower[it] + 1).coerceIn(0, small - 1) },
                IntArray(large) { 2 * factor - upperWeight[it] },
                upperWeight,
            )
        }

        /** Read a colour such as #800000; null for anything else. */
        fun parsed(colour: Any?): Int? =
            (colour as? String)?.takeIf { COLOUR.matches(it) }?.let { it.substring(1).toInt(16) or (0xFF shl 24) }

        val COLOUR = Regex("#[0-9a-f]{6}")
    }
}
