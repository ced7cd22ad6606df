package mobilenet.tf.core

/** One answer. */
data class Ranked(val label: String, val score: Float)

/**
 * The likeliest classes, best first; equal scores in the order of the classes.
 *
 * @param labels one per class; null: the classes' numbers.
 * @param threshold lower scores are left out.
 */
fun topK(scores: FloatArray, labels: List<String>?, k: Int, threshold: Float = 0f): List<Ranked> =
    scores.indices
        .filter { scores[it] >= threshold }
        .sortedByDescending { scores[it] }
        .take(k)
        .map { Ranked(labels?.get(it) ?: it.toString(), scores[it]) }

/**
 * Scores over the last frames: each new one counts [share], so that the bars do not flicker.
 */
class MovingAverage(private val share: Float) {
    private var mean: FloatArray? = null

    /** The average after [scores]; it starts again where their number changes. */
    fun add(scores: FloatArray): FloatArray {
        val old = mean?.takeIf { it.size == scores.size } ?: scores
        val new = FloatArray(scores.size) { old[it] + share * (scores[it] - old[it]) }
        mean = new
        return new.copyOf()
    }

    /** Forget what was seen, for a new model or a new scene. */
    fun reset() {
        mean = null
    }
}
