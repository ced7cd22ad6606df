package mobilenet.tf.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class AveragesTest {
    @Test
    fun theAverageFollowsAndRestarts() {
        val average = MovingAverage(0.25f)
        fun add(vararg values: Float) = average.add(listOf(values)).single()
        assertArrayEquals(floatArrayOf(1f, 0f), add(1f, 0f), 0f)
        assertArrayEquals(floatArrayOf(0.75f, 0.25f), add(0f, 1f), 0f)
        assertArrayEquals(floatArrayOf(0f, 0f, 1f), add(0f, 0f, 1f), 0f)
        average.reset()
        assertArrayEquals(floatArrayOf(1f, 1f, 1f), add(1f, 1f, 1f), 0f)
    }

    @Test
    fun theAverageSharesNoArrays() {
        val average = MovingAverage(0.5f)
        val scores = floatArrayOf(1f)
        val first = average.add(listOf(scores)).single()
        average.add(listOf(floatArrayOf(0f)))
        assertEquals(1f, first[0], 0f)
        assertEquals(1f, scores[0], 0f)
    }

    @Test
    fun theMedianCoversTheLastValues() {
        val window = RollingMedian(3)
        assertNull(window.median())
        window.add(9.0)
        assertEquals(9.0, window.median()!!, 0.0)
        window.add(1.0)
        assertEquals(5.0, window.median()!!, 0.0)
        window.add(2.0)
        assertEquals(2.0, window.median()!!, 0.0)
        window.add(1.5)
        assertEquals(1.5, window.median()!!, 0.0)
        window.clear()
        assertNull(window.median())
    }
}
