package mobilenet.tf.core

import java.nio.ByteBuffer
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeNotNull
import org.junit.Test

/** The input pixels are byte for byte those that Python produces from the same image in training. */
class PreprocessingTest {
    @Test
    fun photosOfEveryOrientation() {
        val photos = Golden.committed.cases.filter { !it.isFrame }
        assertEquals((1..8).toSet(), photos.map { it.number("exif") }.toSet())
        check(Golden.committed, photos)
    }

    @Test
    fun realPhotos() {
        assumeNotNull(Golden.photos)
        val photos = Golden.photos!!.cases
        assertTrue("${photos.size} cases", photos.size >= 20)
        check(Golden.photos, photos)
    }

    private fun check(golden: Golden, cases: List<Golden.Case>) {
        for (case in cases) {
            val actual = case.preprocessor().prepare(golden.photo(case.source), Orientation.fromExif(case.number("exif")))
            assertArrayEquals("$case", case.expected, actual.pixels)
        }
    }

    @Test
    fun framesOfEveryRotationAndLayout() {
        val frames = Golden.committed.cases.filter { it.isFrame }
        assertEquals(setOf(0, 90, 180, 270), frames.map { it.number("degrees") }.toSet())
        for (case in frames) for (layout in Layout.values()) {
            val frame = layout.frame(Golden.committed.planes(case.source), case.number("width"), case.number("height"))
            val preprocessor = case.preprocessor()
            val orientation = Orientation(case.number("degrees"))
            assertArrayEquals("$case $layout", case.expected, preprocessor.prepare(frame, orientation).pixels)
            // The preprocessor's cached state must not change the next frame.
            assertArrayEquals("$case $layout", case.expected, preprocessor.prepare(frame, orientation).pixels)
        }
    }

    /** Memory layouts of a frame's planes that devices use. */
    private enum class Layout(val padding: Int, val pixelStride: Int) {
        PLANAR(0, 1),
        PADDED_ROWS(16, 1),
        SEMI_PLANAR(0, 2),
        PADDED_SEMI_PLANAR(10, 2);

        fun frame(planes: ByteArray, width: Int, height: Int): YuvFrame {
            val chroma = width / 2 * (height / 2)
            val y = plane(planes, 0, width, height, 1)
            val u = plane(planes, width * height, width / 2, height / 2, pixelStride)
            val v = plane(planes, width * height + chroma, width / 2, height / 2, pixelStride)
            return YuvFrame(width, height, y, u, v)
        }

        private fun plane(planes: ByteArray, start: Int, width: Int, height: Int, step: Int): Plane {
            val rowStride = width * step + padding
            // As on a device, the last row has no padding.
            val bytes = ByteArray(rowStride * (height - 1) + (width - 1) * step + 1) { 0x5A }
            for (row in 0 until height) for (column in 0 until width) {
                bytes[row * rowStride + column * step] = planes[start + row * width + column]
            }
            return Plane(ByteBuffer.wrap(bytes), rowStride, step)
        }
    }

    @Test
    fun jpegDivisorLeavesTwiceThePixels() {
        // The same rule as in Python: shorter side // divisor >= ceil(2 size / crop).
        assertEquals(8, divisor("image/jpeg", 4000, 3000, 96, 1.0))
        assertEquals(8, divisor("image/jpeg", 1600, 1200, 75, 1.0))
        assertEquals(4, divisor("image/jpeg", 1200, 1600, 76, 1.0))
        assertEquals(1, divisor("image/jpeg", 300, 299, 75, 0.5))
        assertEquals(1, divisor("image/jpeg", 20, 20, 96, 1.0))
    }

    private fun divisor(type: String?, width: Int, height: Int, size: Int, crop: Double) =
        Preprocessor(size, size - 1, 3, crop = crop).divisor(type, width, height)

    @Test
    fun whatIsInterpolatedIsDecodedWhole() {
        assertEquals(1, Preprocessor(96, 96, 3, filter = Filter.MEDIAPIPE).divisor("image/jpeg", 4000, 3000))
    }

    @Test
    fun onlyJpegIsReducedWhileDecoding() {
        for (type in listOf("image/png", "image/webp", "image/heif", null)) {
            assertEquals(1, divisor(type, 4000, 3000, 96, 1.0))
        }
    }

    @Test
    fun transparentPixelsAreBlendedOnWhite() {
        val into = ByteArray(6)
        val pixels = ArgbPixels(2, 1, intArrayOf(0x00C80A14, 0x80000000.toInt()))
        pixels.read(0, 0, into, 0)
        pixels.read(1, 0, into, 3)
        assertArrayEquals(byteArrayOf(-1, -1, -1, 127, 127, 127), into)
    }
}
