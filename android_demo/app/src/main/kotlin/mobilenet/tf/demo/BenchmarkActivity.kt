package mobilenet.tf.demo

import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.view.View
import android.widget.TextView
import java.io.File
import java.io.IOException
import kotlin.concurrent.thread
import mobilenet.tf.core.Unusable
import mobilenet.tf.engine.Classifier
import mobilenet.tf.engine.Timing
import mobilenet.tf.engine.benchmarkJson

/**
 * How fast the model is on this phone, and by how much its scores differ from Python's.
 *
 * By hand, or from a computer, which then reads `benchmark.json` in the app's external files:
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
        // Not again when the screen is turned.
        if (state == null && intent.hasExtra(MODEL)) start()
    }

    private fun start() {
        run.isEnabled = false
        report.setText(R.string.running)
        thread(name = "benchmark") {
            val text = try {
                measure()
            } catch (error: Unusable) {
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
            ?: throw Unusable(getString(R.string.no_model))
        val threads = intent.getIntExtra("threads", settings.threads).coerceIn(1, Settings.MAX_THREADS)
        val runs = intent.getIntExtra("runs", 50).coerceIn(1, 10_000)
        val golden = store.golden(name)
        return Classifier.open(store.load(name), threads, settings.accelerator).use { classifier ->
            val timing = Timing.of(classifier, runs)
            val difference = golden?.differenceOf(classifier)
            val json = benchmarkJson(name, "${Build.MANUFACTURER} ${Build.MODEL}", threads, classifier, timing, difference)
            listOfNotNull(
                getString(R.string.runs_on, name, classifier.accelerator.name, threads),
                classifier.fallback,
                getString(R.string.times, timing.median, timing.p90, timing.runs),
                if (difference == null) getString(R.string.no_golden)
                else getString(R.string.agreement, difference, golden.count),
                write(json),
            ).joinToString("\n\n")
        }
    }

    /** Beside its final name first: whoever waits for the file must not read half of it. */
    private fun write(json: String): String {
        val file = File(getExternalFilesDir(null) ?: return getString(R.string.not_written), "benchmark.json")
        return try {
            val partial = File(file.path + ".partial")
            partial.writeText(json)
            if (!partial.renameTo(file)) throw IOException("no space")
            // From the shared storage's root, as file managers and /sdcard show it.
            getString(R.string.written_to, "Android/" + file.path.substringAfter("/Android/"))
        } catch (error: IOException) {
            getString(R.string.not_written)
        }
    }

    private companion object {
        const val MODEL = "model"
    }
}
