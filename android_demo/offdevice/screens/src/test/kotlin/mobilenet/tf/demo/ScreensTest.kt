package mobilenet.tf.demo

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.drawable.BitmapDrawable
import android.net.Uri
import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.SeekBar
import android.widget.TextView
import java.io.File
import mobilenet.tf.core.Json
import mobilenet.tf.core.Prediction
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * Checks and draws each of the app's screens with Android's own drawing code and the phone's runtime.
 * There is no camera; the images are the reference images of the shipped model.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.PORTRAIT)
class ScreensTest {
    private val screens = Screens()
    private val golden = (Json.parse(File(System.getProperty("assets"), "digits.golden.json").readText()) as Map<*, *>)
        .let { it["pictures"] as List<*> }
        .map { it as Map<*, *> }

    @Before
    fun start() {
        screens.loadRuntime()
        device(camera = true)
    }

    @Test
    fun aPhotoGetsPythonsScores() = screens.inBothThemes("photo") {
        val live = picked(UNCLEAR).get()
        val expected = scores(UNCLEAR).mapIndexed { label, score -> "$label" to score }
            .filter { it.second >= 0.05 }.sortedByDescending { it.second }.take(3)
        val predictions = bars(live).predictions!!
        assertEquals(expected.map { it.first }, predictions.map { it.label })
        expected.zip(predictions).forEach { (python, shown) -> assertEquals(python.second, shown.score.toDouble(), 1 / 256.0) }
        live
    }

    @Test
    fun timesAreMeasured() {
        // Robolectric's clock stands still, but System.nanoTime must advance for the app's own classes.
        val start = System.nanoTime()
        Thread.sleep(5)
        assertTrue(System.nanoTime() - start >= 5_000_000)
    }

    @Test
    fun aStillImageSurvivesARotation() {
        val controller = picked(UNCLEAR)
        val before = controller.get()
        val (bitmap, predictions) = bitmap(before) to bars(before).predictions
        RuntimeEnvironment.setQualifiers(Screens.LANDSCAPE)
        controller.configurationChange().visible()
        val after = controller.get()
        assertTrue(after !== before)
        screens.await { text(after, R.id.loaded_model).isNotEmpty() }
        assertEquals(View.VISIBLE, visibility(after, R.id.still_image))
        assertTrue(bitmap.sameAs(bitmap(after)))
        assertEquals(predictions, bars(after).predictions)
        assertEquals(text(before, R.id.latency), text(after, R.id.latency))
        assertEquals("Resume", text(after, R.id.freeze))
        assertTrue("the image is ${stillImage(after).height} px high", stillImage(after).height > after.window.decorView.height / 2)
        screens.draw(after, "photo-sideways")
    }

    @Test
    fun aDeniedCameraShowsANoticeAndAButton() = screens.inBothThemes("denied") {
        val controller = live()
        val live = controller.get()
        assertNotNull(shadowOf(live).lastRequestedPermission)
        controller.pause().resume()
        assertEquals("Camera access is denied. Choose a photo, or allow the camera.", notice(live))
        assertEquals(View.VISIBLE, visibility(live, R.id.allow_camera))
        // Without a camera there is no frame to freeze.
        live.findViewById<View>(R.id.freeze).performClick()
        assertEquals(View.VISIBLE, visibility(live, R.id.notice))
        live
    }

    @Test
    fun allowingTheCameraInTheSystemSettingsRemovesTheNotice() {
        val controller = live()
        assertEquals(View.VISIBLE, visibility(controller.get(), R.id.notice))
        controller.pause()
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        controller.resume()
        assertEquals(View.GONE, visibility(controller.get(), R.id.notice))
    }

    @Test
    fun aDeviceWithoutCameraShowsANotice() {
        device(camera = false)
        val live = live().get()
        assertEquals("This device has no camera. Choose a photo instead.", notice(live))
        assertEquals(View.GONE, visibility(live, R.id.allow_camera))
        screens.draw(live, "no-camera")
    }

    @Test
    fun aFileThatIsNotAnImageShowsANotice() {
        val live = live().get()
        pick(live, "not an image".toByteArray())
        screens.await { notice(live).startsWith("This device cannot open the file as an image") }
        assertEquals(View.VISIBLE, visibility(live, R.id.notice))
    }

    @Test
    fun aLongLabelDoesNotOverlapItsScore() {
        val context = Robolectric.buildActivity(SettingsActivity::class.java).setup().get()
        val (long, none) = listOf("a label that is far too long for ".repeat(3), "").map { label ->
            val view = ScoreBars(context).apply { predictions = listOf(Prediction(label, 1f)) }
            view.measure(View.MeasureSpec.makeMeasureSpec(360, View.MeasureSpec.EXACTLY), View.MeasureSpec.UNSPECIFIED)
            view.layout(0, 0, view.measuredWidth, view.measuredHeight)
            Screens.bitmap(view)
        }
        fun right(of: Bitmap) = Bitmap.createBitmap(of, 290, 0, 70, of.height)
        assertFalse(long.sameAs(none))
        assertTrue(right(long).sameAs(right(none)))
    }

    @Test
    fun settingsShowTheCurrentValues() = screens.inBothThemes("settings") {
        val activity = Robolectric.buildActivity(SettingsActivity::class.java).setup().get()
        assertEquals("Classes shown: 3", text(activity, R.id.results_label))
        assertEquals(5, activity.findViewById<SeekBar>(R.id.threshold).progress)
        activity
    }

    @Test
    fun theBenchmarkAgreesWithPython() = screens.inBothThemes("benchmark") {
        val activity = Robolectric.buildActivity(BenchmarkActivity::class.java).setup().get()
        activity.findViewById<Button>(R.id.run).performClick()
        assertEquals("Running…", text(activity, R.id.report))
        screens.await { activity.findViewById<Button>(R.id.run).isEnabled }
        val report = text(activity, R.id.report)
        assertTrue(report, report.contains("Largest difference from Python: 0.0 LSB on ${golden.size} images."))
        val written = File(activity.getExternalFilesDir(null), "benchmark.json")
        val json = Json.parse(written.readText()) as Map<*, *>
        // Not exactly 0, because Python's scores are rounded to six digits.
        assertEquals(0.0, json["difference_lsb"] as Double, 0.01)
        activity
    }

    private fun device(camera: Boolean) = shadowOf(RuntimeEnvironment.getApplication().packageManager)
        .setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, camera)

    private fun live(): ActivityController<LiveActivity> = Robolectric.buildActivity(LiveActivity::class.java).setup()

    /** The live screen after the user has picked a photo. */
    private fun picked(index: Int): ActivityController<LiveActivity> = live().also {
        pick(it.get(), png(golden[index]))
        screens.await { bars(it.get()).predictions != null }
    }

    private fun pick(live: LiveActivity, file: ByteArray) {
        val uri = Uri.parse("content://photos/picked")
        shadowOf(live.contentResolver).registerInputStream(uri, file.inputStream())
        live.findViewById<View>(R.id.photo).performClick()
        val request = shadowOf(live).nextStartedActivityForResult
        shadowOf(live).receiveResult(request.intent, Activity.RESULT_OK, Intent().setData(uri))
    }

    private fun png(entry: Map<*, *>): ByteArray {
        val argb = (entry["rgb"] as String).chunked(6).map { it.toInt(16) or (0xFF shl 24) }.toIntArray()
        val (width, height) = listOf("width", "height").map { (entry[it] as Double).toInt() }
        return Screens.png(Bitmap.createBitmap(argb, width, height, Bitmap.Config.ARGB_8888))
    }

    private fun scores(index: Int) = (golden[index]["scores"] as List<*>).map { it as Double }

    private fun bars(activity: Activity) = activity.findViewById<ScoreBars>(R.id.bars)

    private fun stillImage(activity: Activity) = activity.findViewById<ImageView>(R.id.still_image)

    private fun bitmap(activity: Activity) = (stillImage(activity).drawable as BitmapDrawable).bitmap

    private fun notice(activity: Activity) = text(activity, R.id.notice_text)

    private fun text(activity: Activity, id: Int) = activity.findViewById<TextView>(id).text.toString()

    private fun visibility(activity: Activity, id: Int) = activity.findViewById<View>(id).visibility

    private companion object {
        /** Index of the digit with the least certain prediction, so that more than one bar is drawn. */
        const val UNCLEAR = 4
    }
}
