package mobilenet.tf.live

/** What the camera is doing. NONE means that the device has no camera. */
enum class CameraState { CLOSED, OPENING, CONFIGURING, RUNNING, LOST, NONE }

/** One attempt to use a camera. Each call may throw; [close] may be called in any state, and once. */
interface CameraLink {
    /** Ask for the camera, which answers with [CameraEvents.opened]. */
    fun open()

    /** Ask the open camera for a session, which answers with [CameraEvents.configured]. */
    fun configure()

    /** Let the frames flow. */
    fun start()

    /** Release everything, also what arrives later. */
    fun close()
}

/** A camera's answers. */
interface CameraEvents {
    fun opened()
    fun configured()
    fun lost()
}

/**
 * Opens, loses and closes the camera. All calls, also those of [CameraEvents], come from one thread.
 *
 * Answers to an attempt that is no longer the current one are ignored. A lost camera is opened again
 * once when it becomes available; after that [start] does so, because two apps that take the camera
 * from each other would never stop.
 *
 * @param connect returns a link to the chosen camera; null if there is none.
 * @param report called with each new state.
 */
class CameraMachine(
    private val connect: (CameraEvents) -> CameraLink?,
    private val report: (CameraState) -> Unit,
) {
    private var attempt: Attempt? = null
    private var mayRetry = false

    var state = CameraState.CLOSED
        private set

    /** Open the camera unless it is open. */
    fun start() {
        if (attempt != null) return
        mayRetry = true
        open()
    }

    /** Close the camera. Calling it twice is allowed. */
    fun stop() = finish(CameraState.CLOSED)

    /** Some camera is free again. */
    fun available() {
        if (state != CameraState.LOST || !mayRetry) return
        mayRetry = false
        open()
    }

    private fun open() {
        val opening = Attempt()
        attempt = opening
        opening.step(CameraState.OPENING) {
            opening.link = connect(opening)
            opening.link?.open() ?: finish(CameraState.NONE)
        }
    }

    private fun finish(end: CameraState) {
        val link = attempt?.link
        attempt = null
        // A camera that has failed may also fail to close.
        runCatching { link?.close() }
        move(end)
    }

    private fun move(next: CameraState) {
        if (state == next) return
        state = next
        report(next)
    }

    private inner class Attempt : CameraEvents {
        var link: CameraLink? = null

        override fun opened() {
            if (isAt(CameraState.OPENING)) step(CameraState.CONFIGURING) { link?.configure() }
        }

        override fun configured() {
            if (isAt(CameraState.CONFIGURING)) step(CameraState.RUNNING) { link?.start() }
        }

        override fun lost() {
            if (this === attempt) finish(CameraState.LOST)
        }

        private fun isAt(expected: CameraState) = this === attempt && state == expected

        /** A camera that vanishes throws exceptions of many types, from any call. */
        fun step(next: CameraState, work: () -> Unit) {
            move(next)
            try {
                work()
            } catch (error: Exception) {
                lost()
            }
        }
    }
}
