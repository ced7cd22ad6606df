package mobilenet.tf.core

/**
 * Exponential moving average of a model's outputs, so that the displayed bars do not flicker.
 *
 * @param weight weight of the newest outputs, between 0 and 1.
 */
class MovingAverage(private val weight: Float) {
    private var mean: List<FloatArray>? = null

    /** Add outputs and return the new average. The average restarts when the number of values changes. */
    fun add(outputs: List<FloatArray>): List<FloatArray> {
        val old = mean?.takeIf { known -> known.map { it.size } == outputs.map { it.size } } ?: outputs
        val new = old.zip(outputs) { before, now -> FloatArray(now.size) { before[it] + weight * (now[it] - before[it]) } }
        mean = new
        return new
    }

    /** Restart the average, for a new model or scene. */
    fun reset() {
        mean = null
    }
}
