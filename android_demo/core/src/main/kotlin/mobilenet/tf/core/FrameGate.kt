package mobilenet.tf.core

import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/**
 * Lets one frame through at a time. Frames that arrive during its processing are dropped, not queued,
 * so that predictions always belong to a recent frame.
 */
class FrameGate {
    private val busy = AtomicBoolean()
    private val count = AtomicLong()

    /** Number of frames dropped so far. */
    val dropped: Long get() = count.get()

    /** Return whether the caller may process its frame. If so, the caller must call [leave] afterwards. */
    fun tryEnter(): Boolean {
        val free = busy.compareAndSet(false, true)
        if (!free) count.incrementAndGet()
        return free
    }

    fun leave() = busy.set(false)
}
