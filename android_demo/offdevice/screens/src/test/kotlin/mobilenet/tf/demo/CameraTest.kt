package mobilenet.tf.demo

import android.Manifest
import android.content.pm.PackageManager
import android.graphics.drawable.BitmapDrawable
import android.view.Surface
import android.view.TextureView
import android.view.View
import android.widget.ImageView
import java.nio.ByteBuffer
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.Plane
import mobilenet.tf.core.YuvFrame
import mobilenet.tf.live.CameraState
import mobilenet.tf.live.Facing
import mobilenet.tf.live.FrameCopies
import mobilenet.tf.tasks.Prediction
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowDisplayManager

/** The camera on the live screen. Robolectric's cameras open and close, but deliver no frames. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.PORTRAIT, shadows = [WatchedCameraManager::class])
class CameraTest {
    private val screens = Screens()

    @Before
    fun start() {
        screens.loadRuntime()
        Device.addCameras(0, 1)
    }

    private fun running(): Live {
        Device.allowCamera()
        val live = Live(screens).awaitModel()
        live.surface()
        return live.await { it.state.camera == CameraState.RUNNING }
    }

    /** A frame as the camera's thread hands it over: the reference image in grey, turned by 90 degrees. */
    private fun Live.frame(index: Int) {
        val bitmap = Reference.bitmap(index)
        val (width, height) = bitmap.width / 2 * 2 to bitmap.height / 2 * 2
        val luma = ByteArray(width * height) { (bitmap.getPixel(it % width, it / width) and 0xFF).toByte() }
        val chroma = ByteArray(width * height / 4) { -128 }
        val frame = YuvFrame(
            width, height, Plane(ByteBuffer.wrap(luma), width, 1),
            Plane(ByteBuffer.wrap(chroma), width / 2, 1), Plane(ByteBuffer.wrap(chroma), width / 2, 1),
        )
        val analyzer = LiveSession::class.java.getDeclaredField("analyzer").apply { isAccessible = true }.get(session) as Analyzer
        analyzer.offer(FrameCopies().copy(frame, Orientation(90)))
    }

    private fun Live.answerTo(index: Int): List<Prediction> {
        val before = state.answer
        frame(index)
        return await { it.state.answer !== before }.state.answer!!.predictions
    }

    @Test
    fun theCameraServiceIsNeverAskedOnTheMainThread() {
        WatchedCameraManager.threads.clear()
        running()
        assertTrue("${WatchedCameraManager.threads}", WatchedCameraManager.threads.size >= 2)
        assertEquals(setOf("camera"), WatchedCameraManager.threads.toSet())
    }

    @Test
    fun theScreenStaysOnWhileTheCameraRuns() {
        val live = running()
        assertTrue(live.view<View>(R.id.preview).keepScreenOn)
        assertNull(live.notice)
        live.controller.pause()
        live.await { it.state.camera == CameraState.CLOSED }
        assertFalse(live.view<View>(R.id.preview).keepScreenOn)
    }

    /** Each kind of leaving, at once after arriving, and while the camera may be in any state. */
    @Test
    fun leavingQuicklyIsSafe() {
        Device.allowCamera()
        repeat(20) { turn ->
            val live = Live(screens)
            val texture = live.surface()
            Thread.sleep(turn % 5L)
            if (turn % 2 == 0) live.removeSurface(texture)
            live.controller.pause()
            if (turn % 3 == 0) live.controller.resume().pause()
            live.controller.stop().destroy()
            if (turn % 2 == 1) live.removeSurface(texture)
        }
        running()
    }

    @Test
    fun freezingKeepsTheAnalysedFrameWithAnAnswerOfItsOwn() {
        val live = running()
        val alone = live.answerTo(Reference.UNCLEAR)
        live.answerTo(0)
        assertNotEquals("an average over all three frames", alone, live.answerTo(Reference.UNCLEAR))
        live.press(R.id.freeze).await { it.state.still != null }
        assertEquals(alone, live.state.answer!!.predictions)
        val shown = (live.view<ImageView>(R.id.still_image).drawable as BitmapDrawable).bitmap
        val reference = Reference.bitmap(Reference.UNCLEAR)
        assertEquals(reference.height / 2 * 2 to reference.width / 2 * 2, shown.width to shown.height)
        // Turned clockwise: the picture's first row is the frame's first column from below.
        for (x in 0 until shown.width) assertEquals(reference.getPixel(0, shown.width - 1 - x), shown.getPixel(x, 0))
        live.await { it.state.camera == CameraState.CLOSED }
        live.press(R.id.freeze).await { it.state.camera == CameraState.RUNNING }
        assertNull(live.state.still)
    }

    @Test
    fun withoutAFrameThereIsNothingToFreeze() {
        val live = running().press(R.id.freeze)
        live.await { !it.state.waiting && it.state.camera == CameraState.RUNNING }
        assertNull(live.state.still)
    }

    @Test
    fun aLostCameraComesBack() {
        val live = running()
        Device.loseCamera()
        live.await { it.notice == "The camera stopped: another app is using it, or it failed." }
        screens.draw(live.activity, "camera-lost")
        live.press(R.id.retry).await { it.state.camera == CameraState.RUNNING }
        assertNull(live.notice)
    }

    @Test
    fun switchingUsesTheOtherCamera() {
        val live = running()
        assertTrue(live.isShown(R.id.switch_camera))
        val first = live.session.camera!!.facing
        live.press(R.id.switch_camera).await { it.session.camera!!.facing != first && it.state.camera == CameraState.RUNNING }
        assertEquals(live.session.camera!!.facing, Settings(live.activity).facing)
        assertEquals(setOf(Facing.BACK, Facing.FRONT), setOf(first, live.session.camera!!.facing))
    }

    @Test
    @Config(qualifiers = Screens.LANDSCAPE)
    fun turningBetweenTheLandscapesTurnsThePreview() {
        val live = running()
        val preview = live.view<TextureView>(R.id.preview)
        fun angle(rotation: Int): Int {
            @Suppress("DEPRECATION")
            shadowOf(live.activity.windowManager.defaultDisplay).setRotation(rotation)
            live.activity.onDisplayChanged(0)
            val values = FloatArray(9).also { preview.getTransform(null).getValues(it) }
            return Math.round(Math.toDegrees(Math.atan2(values[3].toDouble(), values[0].toDouble()))).toInt()
        }
        val left = angle(Surface.ROTATION_90)
        val right = angle(Surface.ROTATION_270)
        assertEquals(180, Math.floorMod(left - right, 360))
    }

    @Test
    fun displayChangesReachTheScreen() {
        val live = running()
        val before = live.view<TextureView>(R.id.preview).getTransform(null)
        ShadowDisplayManager.changeDisplay(0, "+land")
        live.await { it.view<TextureView>(R.id.preview).getTransform(null) != before }
    }

    private fun Live.answer(before: Boolean, after: Boolean) {
        Device.explainsPermission(before)
        press(R.id.allow_camera)
        Device.explainsPermission(after)
        activity.onRequestPermissionsResult(0, arrayOf(Manifest.permission.CAMERA), intArrayOf(PackageManager.PERMISSION_DENIED))
    }

    @Test
    fun aDenialOffersWhatCanHelp() {
        val live = Live(screens).await { it.notice != null }
        assertNotNull("the app asks by itself once", shadowOf(live.activity).lastRequestedPermission)
        live.answer(before = false, after = true)
        assertTrue(live.isShown(R.id.allow_camera) && !live.isShown(R.id.open_settings))
        live.answer(before = true, after = false)
        assertTrue(!live.isShown(R.id.allow_camera) && live.isShown(R.id.open_settings))
        live.press(R.id.open_settings)
        assertEquals("android.settings.APPLICATION_DETAILS_SETTINGS", shadowOf(live.activity).nextStartedActivity.action)
    }

    @Test
    fun aDismissedDialogIsNotTakenForADenialForGood() {
        val live = Live(screens).await { it.notice != null }
        live.answer(before = false, after = false)
        assertTrue(live.isShown(R.id.allow_camera) && live.isShown(R.id.open_settings))
        screens.draw(live.activity, "denied-unclear")
    }

    @Test
    fun allowingTheCameraInTheSystemSettingsRemovesTheNotice() {
        val live = Live(screens).await { it.notice != null }
        live.controller.pause()
        Device.allowCamera()
        live.controller.resume()
        assertNull(live.notice)
        live.controller.pause()
        Device.denyCamera()
        live.controller.resume()
        assertTrue("allowed for one time only", live.isShown(R.id.allow_camera))
    }
}
