package mobilenet.tf.core

import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/** The median of the last [window] durations: one slow frame does not move it. */
class MedianWindow(private val window: Int = 50) {
    private val values = ArrayDeque<Double>()

    @Synchronized
    fun add(value: Double) {
        if (values.size == window) values.removeFirst()
        values.addLast(value)
    }

    /** Null before the first value. */
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

/**
 * One frame at a time: while one is worked on, those that come are dropped, not queued, so that
 * the answer is about now.
 */
class FrameGate {
    private val busy = AtomicBoolean()
    private val count = AtomicLong()

    /** Frames turned away so far. */
    val dropped: Long get() = count.get()

    /** Whether the caller may work on its frame; if so it must call [leave]. */
    fun tryEnter(): Boolean {
        val free = busy.compareAndSet(false, true)
        if (!free) count.incrementAndGet()
        return free
    }

    fun leave() = busy.set(false)
}
