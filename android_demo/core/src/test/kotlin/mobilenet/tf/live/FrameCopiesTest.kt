package mobilenet.tf.live

import java.nio.ByteBuffer
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.Plane
import mobilenet.tf.core.YuvFrame
import mobilenet.tf.core.upright
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test

class FrameCopiesTest {
    private val turned = Orientation(90)

    /** A frame of 4 x 2 pixels in padded rows, of which each sample differs; direct memory as on a phone. */
    private fun memory(first: Int) = List(3) { plane ->
        ByteBuffer.allocateDirect(if (plane == 0) 10 else 3).apply { for (at in 0 until capacity()) put(at, (first + 40 * plane + 9 * at).toByte()) }
    }

    private fun frame(memory: List<ByteBuffer>) =
        YuvFrame(4, 2, Plane(memory[0], 6, 1), Plane(memory[1], 4, 2), Plane(memory[2], 4, 2))

    private fun pixels(frame: YuvFrame) = frame.upright(turned, 8).pixels

    @Test
    fun aCopyOutlivesTheCamerasBuffer() {
        val memory = memory(3)
        val expected = pixels(frame(memory))
        val copy = FrameCopies().copy(frame(memory), turned)
        for (plane in memory) for (at in 0 until plane.capacity()) plane.put(at, 0)
        assertArrayEquals(expected, pixels(copy.source))
        assertEquals(turned, copy.orientation)
    }

    @Test
    fun onlyMemoryOfClosedCopiesIsUsedAgain() {
        val copies = FrameCopies()
        val first = copies.copy(frame(memory(1)), turned)
        val expected = pixels(first.source)
        val second = copies.copy(frame(memory(77)), turned)
        assertArrayEquals(expected, pixels(first.source))
        val other = pixels(second.source)
        first.close()
        first.close()
        val third = copies.copy(frame(memory(160)), turned)
        copies.copy(frame(memory(200)), turned)
        assertArrayEquals(other, pixels(second.source))
        assertArrayEquals(pixels(frame(memory(160))), pixels(third.source))
        assertFalse("the memory of the first was used again", expected.contentEquals(pixels(first.source)))
    }
}
