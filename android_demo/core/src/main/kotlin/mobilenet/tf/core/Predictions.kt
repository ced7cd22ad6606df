package mobilenet.tf.core

/** A predicted class and its score. */
data class Prediction(val label: String, val score: Float)

/**
 * Return the [k] most likely classes, best first. Classes with equal scores stay in class order.
 *
 * @param labels one label per class; null shows the class numbers.
 * @param threshold lowest score that is returned.
 */
fun topK(scores: FloatArray, labels: List<String>?, k: Int, threshold: Float = 0f): List<Prediction> =
    scores.indices
        .filter { scores[it] >= threshold }
        .sortedByDescending { scores[it] }
        .take(k)
        .map { Prediction(labels?.get(it) ?: it.toString(), scores[it]) }

/**
 * Exponential moving average of scores, so that the displayed bars do not flicker.
 *
 * @param weight weight of the newest scores, between 0 and 1.
 */
class MovingAverage(private val weight: Float) {
    private var mean: FloatArray? = null

    /** Add scores and return the new average. The average restarts when the number of scores changes. */
    fun add(scores: FloatArray): FloatArray {
        val old = mean?.takeIf { it.size == scores.size } ?: scores
        val new = FloatArray(scores.size) { old[it] + weight * (scores[it] - old[it]) }
        mean = new
        return new.copyOf()
    }

    /** Restart the average, for a new model or scene. */
    fun reset() {
        mean = null
    }
}
