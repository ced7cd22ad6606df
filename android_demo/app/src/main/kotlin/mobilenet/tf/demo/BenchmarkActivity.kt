package mobilenet.tf.demo

import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.view.View
import android.widget.TextView
import java.io.File
import java.io.IOException
import kotlin.concurrent.thread
import mobilenet.tf.core.UserError
import mobilenet.tf.engine.Classifier
import mobilenet.tf.engine.Timing
import mobilenet.tf.engine.benchmarkJson

/**
 * Measures the latency of a model on this phone and the largest difference of its scores from Python's.
 *
 * It can be started in the app, or from a computer, which then reads `benchmark.json` from the app's
 * external files:
 *
 *     adb shell am start -W -n mobilenet.tf.demo/.BenchmarkActivity \
 *         --es model digits --ei runs 100 --ei threads 2
 */
class BenchmarkActivity : Activity() {
    private lateinit var report: TextView
    private lateinit var run: View

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.benchmark)
        report = findViewById(R.id.report)
        run = findViewById(R.id.run)
        run.setOnClickListener { start() }
        // Do not start again when the screen is rotated.
        if (state == null && intent.hasExtra(MODEL)) start()
    }

    private fun start() {
        run.isEnabled = false
        report.setText(R.string.running)
        thread(name = "benchmark") {
            val text = try {
                measure()
            } catch (error: UserError) {
                error.message!!
            }
            runOnUiThread {
                report.text = text
                run.isEnabled = true
            }
        }
    }

    private fun measure(): String {
        val settings = Settings(this)
        val store = ModelStore(this)
        val name = intent.getStringExtra(MODEL) ?: settings.model ?: store.names().firstOrNull()
            ?: throw UserError(getString(R.string.no_model))
        val threads = intent.getIntExtra("threads", settings.threads).coerceIn(1, Settings.MAX_THREADS)
        val runs = intent.getIntExtra("runs", 50).coerceIn(1, 10_000)
        val golden = store.golden(name)
        return Classifier.open(store.load(name), threads, settings.accelerator).use { classifier ->
            val timing = Timing.of(classifier, runs)
            val difference = golden?.largestDifference(classifier)
            val json = benchmarkJson(name, "${Build.MANUFACTURER} ${Build.MODEL}", threads, classifier, timing, difference)
            listOfNotNull(
                getString(R.string.loaded_model, name, classifier.accelerator.name, threads),
                classifier.fallback,
                getString(R.string.times, timing.median, timing.p90, timing.runs),
                if (difference == null) getString(R.string.no_reference_scores)
                else getString(R.string.difference, difference, golden.count),
                write(json),
            ).joinToString("\n\n")
        }
    }

    /** Write under a temporary name and rename, so that no reader sees a partial file. Return a message. */
    private fun write(json: String): String {
        val file = File(getExternalFilesDir(null) ?: return getString(R.string.not_written), "benchmark.json")
        return try {
            val partial = File(file.path + ".partial")
            partial.writeText(json)
            if (!partial.renameTo(file)) throw IOException("no space")
            // Show the path from the root of the shared storage, as file managers and /sdcard do.
            getString(R.string.written_to, "Android/" + file.path.substringAfter("/Android/"))
        } catch (error: IOException) {
            getString(R.string.not_written)
        }
    }

    private companion object {
        const val MODEL = "model"
    }
}
