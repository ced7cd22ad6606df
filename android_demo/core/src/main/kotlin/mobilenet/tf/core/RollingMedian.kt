package mobilenet.tf.core

/** Median of the last [window] durations. A single slow frame does not change it much. */
class RollingMedian(private val window: Int = 50) {
    private val values = ArrayDeque<Double>()

    @Synchronized
    fun add(value: Double) {
        if (values.size == window) values.removeFirst()
        values.addLast(value)
    }

    /** Return the median, or null before the first value. */
    @Synchronized
    fun median(): Double? {
        if (values.isEmpty()) return null
        val sorted = values.sorted()
        val middle = sorted.size / 2
        return if (sorted.size % 2 == 1) sorted[middle] else (sorted[middle - 1] + sorted[middle]) / 2
    }

    @Synchronized
    fun clear() = values.clear()
}
