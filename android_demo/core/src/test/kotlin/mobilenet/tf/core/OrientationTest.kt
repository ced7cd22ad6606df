package mobilenet.tf.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class OrientationTest {
    /** Android's rule for the orientation of camera images. Most phones' sensors are mounted at 90 or 270. */
    @Test
    fun sensorAndScreenRotationAreCombined() {
        assertEquals(Orientation(90), Orientation.fromCamera(sensor = 90, display = 0, front = false))
        assertEquals(Orientation(0), Orientation.fromCamera(sensor = 90, display = 90, front = false))
        assertEquals(Orientation(270), Orientation.fromCamera(sensor = 90, display = 180, front = false))
        assertEquals(Orientation(180), Orientation.fromCamera(sensor = 90, display = 270, front = false))
        assertEquals(Orientation(270), Orientation.fromCamera(sensor = 270, display = 0, front = true))
        assertEquals(Orientation(0), Orientation.fromCamera(sensor = 270, display = 90, front = true))
    }

    @Test
    fun anUnknownOrientationChangesNothing() {
        for (orientation in listOf(-1, 0, 1, 9)) assertEquals(Orientation(0), Orientation.fromExif(orientation))
    }

    @Test
    fun rejectsOtherAngles() {
        assertThrows(IllegalArgumentException::class.java) { Orientation(45) }
    }
}
