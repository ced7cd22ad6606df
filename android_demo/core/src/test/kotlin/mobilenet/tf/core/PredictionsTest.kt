package mobilenet.tf.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class PredictionsTest {
    private val scores = floatArrayOf(0.1f, 0.4f, 0.1f, 0.4f, 0f)
    private val labels = listOf("a", "b", "c", "d", "e")

    @Test
    fun classesAreSortedByScore() {
        assertEquals(listOf("b", "d", "a"), topK(scores, labels, 3).map { it.label })
        assertEquals(listOf(Prediction("b", 0.4f), Prediction("d", 0.4f)), topK(scores, labels, 5, 0.2f))
        assertEquals(listOf("1", "3"), topK(scores, null, 2).map { it.label })
    }

    @Test
    fun theAverageFollowsAndRestarts() {
        val average = MovingAverage(0.25f)
        assertArrayEquals(floatArrayOf(1f, 0f), average.add(floatArrayOf(1f, 0f)), 0f)
        assertArrayEquals(floatArrayOf(0.75f, 0.25f), average.add(floatArrayOf(0f, 1f)), 0f)
        assertArrayEquals(floatArrayOf(0f, 0f, 1f), average.add(floatArrayOf(0f, 0f, 1f)), 0f)
        average.reset()
        assertArrayEquals(floatArrayOf(1f, 1f, 1f), average.add(floatArrayOf(1f, 1f, 1f)), 0f)
    }

    @Test
    fun theAverageSharesNoArrays() {
        val average = MovingAverage(0.5f)
        val scores = floatArrayOf(1f)
        val first = average.add(scores)
        average.add(floatArrayOf(0f))
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
