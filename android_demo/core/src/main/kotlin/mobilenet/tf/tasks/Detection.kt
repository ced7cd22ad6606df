package mobilenet.tf.tasks

import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.ln1p
import kotlin.math.max
import kotlin.math.min
import mobilenet.tf.core.UserError

/**
 * Boxes with a class each. Per feature map there are two outputs: offsets (1, height, width,
 * anchors * 4) from the anchors, and logits (1, height, width, anchors * classes).
 */
class Detection(private val file: Description) : Task {
    private val overlap = file.settings.number("overlap", 0.0..1.0).toFloat()
    private val least = file.settings.number("score", 1e-6..1 - 1e-6)
    private val most = file.settings.whole("most", 1..MOST)
    private val background = if (file.settings.flag("background")) 1 else 0
    private val candidates = file.constants.whole("candidates", 1..MOST)
    private val centreUnit = file.constants.number("centre_unit", 1e-6..1e6).toFloat()
    private val sideUnit = file.constants.number("side_unit", 1e-6..1e6).toFloat()
    private val anchors: FloatArray
    private val classes: Int

    init {
        val maps = file.constants.rows("maps", 2).map { (height, width) -> height.toInt() to width.toInt() }
        val sizes = file.constants.groups("sizes", 2)
        val offsets = file.outputs.filterIndexed { index, _ -> index % 2 == 0 }.map { it.count }
        val logits = file.outputs.filterIndexed { index, _ -> index % 2 == 1 }.map { it.count }
        val places = maps.zip(sizes) { (height, width), map -> height.toLong() * width * map.size }
        val values = logits.firstOrNull()?.div(places.firstOrNull()?.takeIf { it > 0 } ?: 1)?.toInt() ?: 0
        if (sizes.size != maps.size || offsets.map { it.toLong() } != places.map { it * EDGES } || logits.map { it.toLong() } != places.map { it * values }) {
            throw UserError("The model's ${file.outputs.size} outputs are not those of a detector with its anchors on ${maps.size} maps.")
        }
        anchors = anchorBoxes(maps, sizes)
        classes = values - background
        file.checkLabels(classes)
    }

    /** The boxes of at least the file's score, or of a higher one that the user asks for. */
    override fun decode(outputs: List<FloatArray>, request: Request): Decoded {
        val boxes = found(outputs, max(least, min(request.least.toDouble(), 1 - 1e-6)))
        return Decoded(boxes.take(request.results).map { Prediction(it.label, it.score, it.colour) }, NoAnswer.NOTHING_FOUND, boxes)
    }

    /** Return the boxes of at least a score, the likeliest first. */
    internal fun found(outputs: List<FloatArray>, score: Double): List<FoundBox> {
        val offsets = joined(outputs, 0)
        val logits = joined(outputs, 1)
        val best = likeliest(logits, (ln(score) - ln1p(-score)).toFloat())
        val boxes = best.map { box(offsets, it / (classes + background)) }
        val kept = ArrayList<Int>()
        for (index in best.indices) {
            val duplicate = kept.any { label(best[it]) == label(best[index]) && overlapOf(boxes[it], boxes[index]) > overlap }
            if (!duplicate) kept += index
            if (kept.size == most) break
        }
        return kept.map { index ->
            val (left, top, right, bottom) = boxes[index]
            val label = label(best[index])
            FoundBox(left, top, right, bottom, file.label(label), sigmoid(logits[best[index]].toDouble()).toFloat(), classColour(label))
        }
    }

    private fun joined(outputs: List<FloatArray>, first: Int): FloatArray {
        val parts = outputs.filterIndexed { index, _ -> index % 2 == first }
        val whole = FloatArray(parts.sumOf { it.size })
        parts.fold(0) { at, part -> part.copyInto(whole, at); at + part.size }
        return whole
    }

    /** Return where the largest logits stand that are at least [least]; of equal ones, the first comes first. */
    private fun likeliest(logits: FloatArray, least: Float): List<Int> = logits.indices
        .filter { logits[it] >= least && label(it) >= 0 }
        .largestFirst(logits)
        .take(candidates)

    /** Return the class of a logit, -1 for background. */
    private fun label(at: Int): Int = at % (classes + background) - background

    /** Return the box that an anchor's offsets describe, within the image (SSD, equation 2). */
    private fun box(offsets: FloatArray, place: Int): FloatArray {
        val at = place * EDGES
        val (width, height) = anchors[at + 2] - anchors[at] to anchors[at + 3] - anchors[at + 1]
        val x = offsets[at + 1] * centreUnit * width + (anchors[at] + width / 2)
        val y = offsets[at] * centreUnit * height + (anchors[at + 1] + height / 2)
        val halfWidth = exp(min(offsets[at + 3] * sideUnit, LARGEST_SIDE)) * width / 2
        val halfHeight = exp(min(offsets[at + 2] * sideUnit, LARGEST_SIDE)) * height / 2
        return floatArrayOf(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight).also {
            for (edge in it.indices) it[edge] = it[edge].coerceIn(0f, 1f)
        }
    }

    private companion object {
        const val EDGES = 4
        const val MOST = 1000

        /** Logarithm of a box's side over its anchor's, so that exp stays finite. */
        const val LARGEST_SIDE = 4f

        /** Return left, top, right and bottom of each anchor, which are centred on the pixels of the maps. */
        fun anchorBoxes(maps: List<Pair<Int, Int>>, sizes: List<List<DoubleArray>>): FloatArray {
            val edges = FloatArray(maps.zip(sizes) { (height, width), map -> height * width * map.size * EDGES }.sum())
            var at = 0
            for ((map, anchors) in maps.zip(sizes)) for (row in 0 until map.first) for (column in 0 until map.second) {
                val (x, y) = (column + 0.5) / map.second to (row + 0.5) / map.first
                for ((width, height) in anchors) {
                    edges[at++] = (x - width / 2).toFloat()
                    edges[at++] = (y - height / 2).toFloat()
                    edges[at++] = (x + width / 2).toFloat()
                    edges[at++] = (y + height / 2).toFloat()
                }
            }
            return edges
        }

        /** Return the intersection over union of two boxes; 0 where both have no area. */
        fun overlapOf(one: FloatArray, other: FloatArray): Float {
            val width = min(one[2], other[2]) - max(one[0], other[0])
            val height = min(one[3], other[3]) - max(one[1], other[1])
            val inside = max(width, 0f) * max(height, 0f)
            val union = area(one) + area(other) - inside
            return if (union > 0) inside / union else 0f
        }

        fun area(box: FloatArray): Float = (box[2] - box[0]) * (box[3] - box[1])
    }
}
