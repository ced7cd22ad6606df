package mobilenet.tf.live

import kotlin.math.cos
import kotlin.math.sin
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class CamerasTest {
    private val front = CameraInfo("1", Facing.FRONT, 270, 640, 480)
    private val back = CameraInfo("0", Facing.BACK, 90, 640, 480)
    private val wide = CameraInfo("2", Facing.BACK, 90, 640, 480)

    @Test
    fun oneCameraOfEachDirectionIsOffered() {
        assertEquals(listOf(back, front), offered(listOf(front, back, wide)))
        assertEquals(front, chosen(listOf(front, back), Facing.FRONT))
        assertEquals(front, chosen(listOf(front), Facing.BACK))
        assertNull(chosen(listOf(), Facing.BACK))
    }

    @Test
    fun switchingGoesRound() {
        val cameras = listOf(front, back, wide)
        assertEquals(Facing.FRONT, nextFacing(cameras, Facing.BACK))
        assertEquals(Facing.BACK, nextFacing(cameras, Facing.FRONT))
        assertEquals(Facing.BACK, nextFacing(cameras, Facing.EXTERNAL))
        assertEquals(Facing.BACK, nextFacing(listOf(back), Facing.BACK))
        assertEquals(Facing.BACK, nextFacing(listOf(), Facing.BACK))
    }

    /** In every rotation the preview touches two borders, stays inside, and has the frame's aspect. */
    @Test
    fun thePreviewFitsTheView() {
        for ((width, height) in listOf(300 to 400, 400 to 200, 90 to 800)) for (camera in listOf(back, front, back.copy(sensor = 0))) {
            for (display in listOf(0, 90, 180, 270)) {
                val fit = PreviewFit.of(camera, width, height, display)
                val angle = Math.toRadians(fit.degrees.toDouble())
                // The corner of the view after scaling and rotation about the centre.
                val (x, y) = width / 2.0 * fit.scaleX to height / 2.0 * fit.scaleY
                val across = Math.abs(x * cos(angle)) + Math.abs(y * sin(angle))
                val down = Math.abs(x * sin(angle)) + Math.abs(y * cos(angle))
                val upright = (camera.sensor + display) % 180 == 0
                assertEquals(if (upright) 640 / 480.0 else 480 / 640.0, across / down, 1e-4)
                assertTrue(across <= width / 2.0 + 1e-3 && down <= height / 2.0 + 1e-3)
                assertTrue(across > width / 2.0 - 1e-3 || down > height / 2.0 - 1e-3)
            }
        }
    }

    @Test
    fun theTwoLandscapesDifferByHalfATurn() {
        assertEquals(270, PreviewFit.of(back, 400, 300, 90).degrees)
        assertEquals(90, PreviewFit.of(back, 400, 300, 270).degrees)
        assertEquals(0, PreviewFit.of(back, 400, 300, 0).degrees)
    }
}
