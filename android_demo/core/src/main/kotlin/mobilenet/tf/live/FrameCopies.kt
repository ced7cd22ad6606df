package mobilenet.tf.live

import mobilenet.tf.core.Orientation
import mobilenet.tf.core.YuvFrame

/**
 * Copies camera frames, so that the camera gets its buffers back at once and may be closed while a
 * frame is being analysed. The memory of closed copies is used again.
 */
class FrameCopies {
    private val spare = ArrayList<List<ByteArray>>()

    /** Return a copy, which keeps its memory until it is closed. */
    fun copy(frame: YuvFrame, orientation: Orientation): CopiedFrame {
        val planes = listOf(frame.y, frame.u, frame.v)
        val memory = take(planes.map { it.size })
        val (y, u, v) = planes.zip(memory) { plane, into -> plane.copy(into) }
        return CopiedFrame(YuvFrame(frame.width, frame.height, y, u, v), orientation) { give(memory) }
    }

    @Synchronized
    private fun take(sizes: List<Int>): List<ByteArray> {
        val fitting = spare.indexOfFirst { memory -> memory.map { it.size } == sizes }
        return if (fitting >= 0) spare.removeAt(fitting) else sizes.map { ByteArray(it) }
    }

    @Synchronized
    private fun give(memory: List<ByteArray>) {
        if (spare.size == SPARE) spare.removeAt(0)
        spare += memory
    }

    private companion object {
        /** One is analysed, one waits, and one is being copied. */
        const val SPARE = 3
    }
}

/** A frame of the camera in memory of its own, and how to turn it upright. */
class CopiedFrame internal constructor(
    val source: YuvFrame,
    val orientation: Orientation,
    private val release: () -> Unit,
) : AutoCloseable {
    private var closed = false

    override fun close() {
        if (!closed) release()
        closed = true
    }
}
