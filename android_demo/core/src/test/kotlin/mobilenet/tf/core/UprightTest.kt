package mobilenet.tf.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class UprightTest {
    private fun grey(value: Int) = 0xFF shl 24 or (value shl 16) or (value shl 8) or value

    private fun image(width: Int, vararg values: Int) =
        ArgbPixels(width, values.size / width, values.map { grey(it) }.toIntArray())

    @Test
    fun pixelsAreThoseOfTheSource() {
        val image = image(3, 1, 2, 3, 4, 5, 6)
        val same = image.upright(Orientation(0), 3)
        assertEquals(3 to 2, same.width to same.height)
        assertArrayEquals(IntArray(6) { grey(it + 1) }, same.pixels)
        val turned = image.upright(Orientation(90), 3)
        assertEquals(2 to 3, turned.width to turned.height)
        assertArrayEquals(listOf(4, 1, 5, 2, 6, 3).map { grey(it) }.toIntArray(), turned.pixels)
        val mirrored = image.upright(Orientation(0, mirrored = true), 3)
        assertArrayEquals(listOf(3, 2, 1, 6, 5, 4).map { grey(it) }.toIntArray(), mirrored.pixels)
    }

    @Test
    fun theLongerSideIsBounded() {
        assertArrayEquals(intArrayOf(grey(3), grey(7)), image(4, 0, 2, 4, 6, 4, 6, 8, 10).upright(Orientation(0), 2).pixels)
        for ((width, height) in listOf(1000 to 9, 9 to 1000, 1001 to 1, 64 to 64)) {
            val reduced = ArgbPixels(width, height, IntArray(width * height)).upright(Orientation(0), 64)
            assertTrue("${reduced.width} x ${reduced.height}", maxOf(reduced.width, reduced.height) in 32..64)
        }
    }

    /** The picture and the network's input come from the same pixels. */
    @Test
    fun aFrameIsShownAsItIsAnalysed() {
        val case = Golden.committed.cases.first { it.isFrame && it.number("degrees") == 90 }
        val (width, height) = case.number("width") to case.number("height")
        val planes = Golden.committed.planes(case.source)
        fun plane(start: Int, columns: Int, rows: Int) = Plane(java.nio.ByteBuffer.wrap(planes.copyOfRange(start, start + columns * rows)), columns, 1)
        val chroma = width / 2 * (height / 2)
        val frame = YuvFrame(
            width, height, plane(0, width, height), plane(width * height, width / 2, height / 2),
            plane(width * height + chroma, width / 2, height / 2),
        )
        val shown = frame.upright(Orientation(90), 1280)
        val again = case.preprocessor()
            .prepare(ArgbPixels(shown.width, shown.height, shown.pixels), Orientation(0))
        assertArrayEquals(case.expected, again.pixels)
    }
}
