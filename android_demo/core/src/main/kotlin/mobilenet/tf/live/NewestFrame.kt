package mobilenet.tf.live

/**
 * Hands frames from the camera's thread to the analysing one. Only the newest frame waits, so that
 * predictions belong to a recent frame and the camera never waits for an inference.
 */
class NewestFrame<T : AutoCloseable> {
    private var waiting: T? = null
    private var busy = false

    /** Number of frames that a newer one replaced before they were analysed. */
    @get:Synchronized
    var dropped = 0L
        private set

    /** Keep a frame. Return true if the consumer is idle, so that the caller must wake it. */
    @Synchronized
    fun offer(frame: T): Boolean {
        waiting?.let {
            it.close()
            dropped++
        }
        waiting = frame
        return !busy.also { busy = true }
    }

    /** Return the newest frame, which the caller closes. Null means that the consumer is idle from now on. */
    @Synchronized
    fun take(): T? = waiting.also {
        waiting = null
        busy = it != null
    }
}
