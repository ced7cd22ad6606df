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
import mobilenet.tf.core.Ranked
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
 * The app's screens, with Android's own drawing code and the phone's own runtime: each is checked
 * and drawn. There is no camera; the pictures are those that came with the shipped model.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.UPRIGHT)
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
    fun aPhotoGetsTheScoresThatPythonGave() = screens.inBothThemes("photo") {
        val live = picked(UNCLEAR).get()
        val expected = scores(UNCLEAR).mapIndexed { label, score -> "$label" to score }
            .filter { it.second >= 0.05 }.sortedByDescending { it.second }.take(3)
        val ranked = bars(live).ranked!!
        assertEquals(expected.map { it.first }, ranked.map { it.label })
        expected.zip(ranked).forEach { (mine, shown) -> assertEquals(mine.second, shown.score.toDouble(), 1 / 256.0) }
        live
    }

    @Test
    fun timesAreMeasured() {
        // Robolectric's clock stands still; that of the app's own classes must not.
        val start = System.nanoTime()
        Thread.sleep(5)
        assertTrue(System.nanoTime() - start >= 5_000_000)
    }

    @Test
    fun aStillPictureOutlivesARotation() {
        val controller = picked(UNCLEAR)
        val before = controller.get()
        val (bitmap, ranked) = bitmap(before) to bars(before).ranked
        RuntimeEnvironment.setQualifiers(Screens.SIDEWAYS)
        controller.configurationChange().visible()
        val after = controller.get()
        assertTrue(after !== before)
        screens.await { text(after, R.id.runs_on).isNotEmpty() }
        assertEquals(View.VISIBLE, visibility(after, R.id.still))
        assertTrue(bitmap.sameAs(bitmap(after)))
        assertEquals(ranked, bars(after).ranked)
        assertEquals(text(before, R.id.latency), text(after, R.id.latency))
        assertEquals("Resume", text(after, R.id.freeze))
        assertTrue("the picture is ${still(after).height} px high", still(after).height > after.window.decorView.height / 2)
        screens.draw(after, "photo-sideways")
    }

    @Test
    fun aForbiddenCameraIsASentenceAndAButton() = screens.inBothThemes("denied") {
        val controller = live()
        val live = controller.get()
        assertNotNull(shadowOf(live).lastRequestedPermission)
        controller.pause().resume()
        assertEquals("The camera is not allowed; choose a photo, or allow it.", notice(live))
        assertEquals(View.VISIBLE, visibility(live, R.id.allow))
        // There is nothing to freeze.
        live.findViewById<View>(R.id.freeze).performClick()
        assertEquals(View.VISIBLE, visibility(live, R.id.notice))
        live
    }

    @Test
    fun allowedInTheSystemsSettingsTheSentenceGoesAway() {
        val controller = live()
        assertEquals(View.VISIBLE, visibility(controller.get(), R.id.notice))
        controller.pause()
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        controller.resume()
        assertEquals(View.GONE, visibility(controller.get(), R.id.notice))
    }

    @Test
    fun aDeviceWithoutCameraIsASentence() {
        device(camera = false)
        val live = live().get()
        assertEquals("This device has no camera; choose a photo.", notice(live))
        assertEquals(View.GONE, visibility(live, R.id.allow))
        screens.draw(live, "no-camera")
    }

    @Test
    fun aFileThatIsNoPictureIsASentence() {
        val live = live().get()
        pick(live, "nothing of the kind".toByteArray())
        screens.await { notice(live).startsWith("The file is no picture") }
        assertEquals(View.VISIBLE, visibility(live, R.id.notice))
    }

    @Test
    fun aLongLabelStaysClearOfItsScore() {
        val context = Robolectric.buildActivity(SettingsActivity::class.java).setup().get()
        val (long, none) = listOf("a label that is far too long for ".repeat(3), "").map { label ->
            val view = ScoreBars(context).apply { ranked = listOf(Ranked(label, 1f)) }
            view.measure(View.MeasureSpec.makeMeasureSpec(360, View.MeasureSpec.EXACTLY), View.MeasureSpec.UNSPECIFIED)
            view.layout(0, 0, view.measuredWidth, view.measuredHeight)
            Screens.bitmap(view)
        }
        fun right(of: Bitmap) = Bitmap.createBitmap(of, 290, 0, 70, of.height)
        assertFalse(long.sameAs(none))
        assertTrue(right(long).sameAs(right(none)))
    }

    @Test
    fun settingsShowWhatIsInForce() = screens.inBothThemes("settings") {
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
        assertTrue(report, report.contains("Differs from Python by 0.0 steps at most on ${golden.size} pictures."))
        val written = File(activity.getExternalFilesDir(null), "benchmark.json")
        val json = Json.parse(written.readText()) as Map<*, *>
        // Not quite 0: Python's scores were written with few digits.
        assertEquals(0.0, json["difference_lsb"] as Double, 0.01)
        activity
    }

    private fun device(camera: Boolean) = shadowOf(RuntimeEnvironment.getApplication().packageManager)
        .setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, camera)

    private fun live(): ActivityController<LiveActivity> = Robolectric.buildActivity(LiveActivity::class.java).setup()

    /** The live screen after the user has picked a picture. */
    private fun picked(index: Int): ActivityController<LiveActivity> = live().also {
        pick(it.get(), png(golden[index]))
        screens.await { bars(it.get()).ranked != null }
    }

    private fun pick(live: LiveActivity, file: ByteArray) {
        val uri = Uri.parse("content://photos/picked")
        shadowOf(live.contentResolver).registerInputStream(uri, file.inputStream())
        live.findViewById<View>(R.id.photo).performClick()
        val asked = shadowOf(live).nextStartedActivityForResult
        shadowOf(live).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(uri))
    }

    private fun png(entry: Map<*, *>): ByteArray {
        val argb = (entry["rgb"] as String).chunked(6).map { it.toInt(16) or (0xFF shl 24) }.toIntArray()
        val (wide, high) = listOf("width", "height").map { (entry[it] as Double).toInt() }
        return Screens.png(Bitmap.createBitmap(argb, wide, high, Bitmap.Config.ARGB_8888))
    }

    private fun scores(index: Int) = (golden[index]["scores"] as List<*>).map { it as Double }

    private fun bars(activity: Activity) = activity.findViewById<ScoreBars>(R.id.bars)

    private fun still(activity: Activity) = activity.findViewById<ImageView>(R.id.still)

    private fun bitmap(activity: Activity) = (still(activity).drawable as BitmapDrawable).bitmap

    private fun notice(activity: Activity) = text(activity, R.id.notice_text)

    private fun text(activity: Activity, id: Int) = activity.findViewById<TextView>(id).text.toString()

    private fun visibility(activity: Activity, id: Int) = activity.findViewById<View>(id).visibility

    private companion object {
        /** The digit of which the model is least sure, so that more than one bar is drawn. */
        const val UNCLEAR = 4
    }
}
