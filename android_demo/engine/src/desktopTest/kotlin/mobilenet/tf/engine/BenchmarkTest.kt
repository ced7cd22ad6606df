package mobilenet.tf.engine

import java.io.File
import mobilenet.tf.core.Json
import mobilenet.tf.core.UserError
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class BenchmarkTest {
    private val assets = File(System.getProperty("assets"))
    private val json = File(assets, "digits.golden.json").readText()
    private val golden = GoldenImages.read(json)

    init {
        loadRuntime()
    }

    /** The whole path of the benchmark screen: image, preprocessing, runtime, scores. */
    @Test
    fun theShippedModelAgreesWithPython() = ImageModel.open(model(File(assets, "digits.tflite"))).use {
        assertEquals(Accelerator.XNNPACK, it.accelerator)
        val difference = golden.largestDifference(it)
        println("digits.tflite: at most $difference LSB from Python on ${golden.count} images")
        assertTrue("$difference LSB", difference <= 1.0)
    }

    @Test
    fun outputsOfAnotherModelAreDetected() {
        val wrong = json.replaceFirst("\"outputs\": [\"", "\"outputs\": [\"00")
        ImageModel.open(model(File(assets, "digits.tflite"))).use {
            assertThrows(UserError::class.java) { GoldenImages.read(wrong).largestDifference(it) }
            val (high, low) = listOf("ff", "00").map { value -> GoldenImages.read(Regex("\"outputs\": \\[\"..").replace(json, "\"outputs\": [\"$value")) }
            assertTrue(maxOf(high.largestDifference(it), low.largestDifference(it)) > 127)
        }
    }

    @Test
    fun damagedReferenceOutputsAreReported() {
        for (text in listOf("", "[]", "{}", "{\"pictures\": []}", json.dropLast(20), json.replace("\"rgb\": \"", "\"rgb\": \"zz"))) {
            assertThrows(text.take(30), UserError::class.java) { GoldenImages.read(text) }
        }
    }

    @Test
    fun quantilesOfTheRuns() {
        val timing = Timing(List(10) { 10.0 - it })
        assertEquals(5.0, timing.median, 0.0)
        assertEquals(9.0, timing.p90, 0.0)
        assertEquals(3.0, Timing(listOf(3.0)).p90, 0.0)
    }

    @Test
    fun theReportIsValidJson() = ImageModel.open(model(File(assets, "digits.tflite"))).use {
        val report = Json.parse(benchmarkJson("digits", "a \"phone\"", 2, it, Timing.of(it, 5), null)) as Map<*, *>
        assertEquals(5.0, report["runs"])
        assertEquals("XNNPACK", report["accelerator"])
        assertEquals("a \"phone\"", report["device"])
        assertTrue(report.containsKey("difference_lsb") && report["difference_lsb"] == null)
        assertTrue(report["median_ms"] as Double > 0)
    }

    @Test
    fun anInterruptEndsTheMeasurement() = ImageModel.open(model(File(assets, "digits.tflite"))).use {
        Thread.currentThread().interrupt()
        assertThrows(InterruptedException::class.java) { Timing.of(it, 1_000_000) }
        assertEquals(3, Timing.of(it, 3).runs)
    }
}
