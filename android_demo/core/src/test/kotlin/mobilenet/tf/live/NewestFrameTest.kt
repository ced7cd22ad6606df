package mobilenet.tf.live

import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import kotlin.concurrent.thread
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class NewestFrameTest {
    private class Frame(val number: Int) : AutoCloseable {
        @Volatile var closed = 0

        override fun close() {
            closed++
        }
    }

    @Test
    fun onlyTheNewestWaits() {
        val newest = NewestFrame<Frame>()
        val frames = List(4) { Frame(it) }
        assertTrue("the consumer is idle", newest.offer(frames[0]))
        assertEquals(frames[0], newest.take())
        // While the first is analysed, two replaced frames are dropped and nobody is woken.
        for (frame in frames.drop(1)) assertFalse(newest.offer(frame))
        assertEquals(2, newest.dropped)
        assertEquals(listOf(0, 1, 1, 0), frames.map { it.closed })
        assertEquals(frames[3], newest.take())
        assertNull(newest.take())
        assertTrue("the consumer is idle again", newest.offer(Frame(4)))
        assertEquals(2, newest.dropped)
    }

    /** Every frame is either analysed or counted as dropped, and the last one is always analysed. */
    @Test
    fun noFrameIsLostBetweenThreads() {
        val newest = NewestFrame<Frame>()
        val frames = List(20_000) { Frame(it) }
        val analysed = ArrayList<Int>()
        val done = CountDownLatch(1)
        val wake = LinkedBlockingQueue<Boolean>()
        val consumer = thread {
            while (wake.take()) {
                while (true) analysed += (newest.take() ?: break).also { it.close() }.number
            }
            done.countDown()
        }
        for (frame in frames) if (newest.offer(frame)) wake.put(true)
        wake.put(false)
        done.await()
        consumer.join()
        assertEquals(frames.size.toLong(), analysed.size + newest.dropped)
        assertEquals(analysed.sorted().distinct(), analysed)
        assertEquals(frames.last().number, analysed.last())
        assertTrue(frames.all { it.closed == 1 })
    }
}
