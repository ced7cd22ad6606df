package mobilenet.tf.demo

import android.content.Intent
import android.view.View
import android.widget.Button
import android.widget.TextView
import java.io.File
import mobilenet.tf.core.Json
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.PORTRAIT)
class BenchmarkScreenTest {
    private val screens = Screens()

    @Before
    fun start() = screens.loadRuntime()

    private fun screen(intent: Intent? = null) = Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup()

    private fun BenchmarkActivity.report() = findViewById<TextView>(R.id.report).text.toString()

    private fun BenchmarkActivity.isRunning() = !findViewById<Button>(R.id.run).isEnabled

    @Test
    fun theBenchmarkAgreesWithPython() = screens.inBothThemes("benchmark") {
        val activity = screen().get()
        activity.findViewById<Button>(R.id.run).performClick()
        assertEquals("Running…", activity.report())
        screens.await { !activity.isRunning() }
        assertTrue(activity.report(), activity.report().contains("Largest difference from Python: 0.0 LSB on ${Reference.count} images."))
        val written = File(activity.getExternalFilesDir(null), "benchmark.json")
        val json = Json.parse(written.readText()) as Map<*, *>
        assertEquals(0.0, json["difference_lsb"])
        activity
    }

    @Test
    fun aRotationDoesNotEndTheMeasurement() {
        val controller = screen(Intent().putExtra("model", "digits").putExtra("runs", 5000).putExtra("threads", 1))
        val first = controller.get()
        assertTrue(first.isRunning() && first.findViewById<View>(R.id.report).keepScreenOn)
        RuntimeEnvironment.setQualifiers(Screens.LANDSCAPE)
        controller.configurationChange().visible()
        assertTrue(controller.get() !== first)
        assertEquals("Running…", controller.get().report())
        screens.await { !controller.get().isRunning() }
        assertTrue(controller.get().report(), "5000 runs" in controller.get().report())
        assertFalse(controller.get().findViewById<View>(R.id.report).keepScreenOn)
    }

    @Test
    fun onlyNamesOfModelsAreAccepted() {
        val outside = File(RuntimeEnvironment.getApplication().filesDir, "outside.tflite")
        File(System.getProperty("assets"), "digits.tflite").copyTo(outside)
        for (name in listOf("../outside", outside.path.removeSuffix(".tflite"), "none", "")) {
            val activity = screen(Intent().putExtra("model", name)).get()
            screens.await { !activity.isRunning() }
            assertEquals("The app has no model named $name.", activity.report())
        }
    }
}
