package mobilenet.tf.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class UprightTest {
    /** By the platform's rule for camera images; phones' sensors are mostly at 90 or 270. */
    @Test
    fun sensorAndScreenBothCount() {
        assertEquals(Upright(90), Upright.ofCamera(sensor = 90, display = 0, front = false))
        assertEquals(Upright(0), Upright.ofCamera(sensor = 90, display = 90, front = false))
        assertEquals(Upright(270), Upright.ofCamera(sensor = 90, display = 180, front = false))
        assertEquals(Upright(180), Upright.ofCamera(sensor = 90, display = 270, front = false))
        assertEquals(Upright(270), Upright.ofCamera(sensor = 270, display = 0, front = true))
        assertEquals(Upright(0), Upright.ofCamera(sensor = 270, display = 90, front = true))
    }

    @Test
    fun anUnknownOrientationTurnsNothing() {
        for (orientation in listOf(-1, 0, 1, 9)) assertEquals(Upright(0), Upright.ofExif(orientation))
    }

    @Test
    fun onlyQuarterTurns() {
        assertThrows(IllegalArgumentException::class.java) { Upright(45) }
    }

    @Test
    fun theBoxIsTheTrainings() {
        assertEquals(Square(25, 0, 50), Square.centre(101, 50, 1.0))
        assertEquals(Square(16, 58, 224), Square.centre(256, 341, 0.875))
        assertEquals(Square(0, 0, 2), Square.centre(3, 3, 0.5))
        assertEquals(Square(0, 4, 1), Square.centre(1, 9, 0.1))
        for (crop in listOf(0.0, -1.0, 1.01, Double.NaN)) {
            assertThrows(IllegalArgumentException::class.java) { Square.centre(9, 9, crop) }
        }
    }
}
