package mobilenet.tf.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

/** The golden images compare placements with Python's by their pixels. */
class PlacementTest {
    private fun crop(width: Int, height: Int, crop: Double) = Placement.of(width, height, 32, 32, Fit.CROP, crop).source

    @Test
    fun theCropIsThatOfTraining() {
        assertEquals(Box(25, 0, 75, 50), crop(101, 50, 1.0))
        assertEquals(Box(16, 58, 240, 282), crop(256, 341, 0.875))
        assertEquals(Box(0, 0, 2, 2), crop(3, 3, 0.5))
        assertEquals(Box(0, 4, 1, 5), crop(1, 9, 0.1))
        for (crop in listOf(0.0, -1.0, 1.01, Double.NaN)) {
            assertThrows(IllegalArgumentException::class.java) { crop(9, 9, crop) }
        }
    }

    @Test
    fun inputsMayHaveAnyShape() {
        assertEquals(Box(0, 25, 200, 75), Placement.of(200, 100, 64, 16, Fit.CROP, 1.0).source)
        val padded = Placement.of(200, 100, 64, 64, Fit.PAD, 1.0)
        assertEquals(Box(0, 0, 200, 100) to Box(0, 16, 64, 48), padded.source to padded.target)
    }

    /** The corners of what the input shows of an image of 200 x 100 pixels. */
    @Test
    fun sharesOfTheInputBecomeSharesOfTheImage() {
        fun corners(fit: Fit, crop: Double, vararg shares: Float) =
            Placement.of(200, 100, 64, 64, fit, crop).let { listOf(it.x(shares[0]), it.y(shares[1]), it.x(shares[2]), it.y(shares[3])) }
        assertEquals(listOf(0.25f, 0f, 0.75f, 1f), corners(Fit.CROP, 1.0, 0f, 0f, 1f, 1f))
        assertEquals(listOf(0.375f, 0.25f, 0.625f, 0.75f), corners(Fit.CROP, 0.5, 0f, 0f, 1f, 1f))
        assertEquals(listOf(0f, 0f, 1f, 1f), corners(Fit.STRETCH, 1.0, 0f, 0f, 1f, 1f))
        assertEquals(listOf(0.25f, 0.25f, 0.75f, 0.5f), corners(Fit.STRETCH, 0.5, 0f, 0f, 1f, 0.5f))
        assertEquals(listOf(0f, -0.5f, 1f, 1.5f), corners(Fit.PAD, 1.0, 0f, 0f, 1f, 1f))
        assertEquals(listOf(0.5f, 0f, 0.5f, 1f), corners(Fit.PAD, 1.0, 0.5f, 0.25f, 0.5f, 0.75f))
    }
}
