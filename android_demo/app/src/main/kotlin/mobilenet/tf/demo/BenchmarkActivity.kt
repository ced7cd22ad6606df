package mobilenet.tf.demo

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.widget.TextView

/**
 * Measures the latency of a model on this phone and the largest difference of its outputs from Python's.
 *
 * It can be started in the app, or from a computer, which then reads `benchmark.json` from the app's
 * external files:
 *
 *     adb shell am start -W -n mobilenet.tf.demo/.BenchmarkActivity \
 *         --es model digits --ei runs 100 --ei threads 2
 *
 * Other apps cannot start it: it requires a permission that only the shell has.
 */
class BenchmarkActivity : Activity() {
    private lateinit var report: TextView
    private lateinit var start: View
    private var run: BenchmarkRun? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.benchmark)
        report = findViewById(R.id.report)
        start = findViewById(R.id.run)
        start.setOnClickListener { begin() }
        @Suppress("DEPRECATION") // Its replacement is a ViewModel, which is not part of the platform.
        run = lastNonConfigurationInstance as BenchmarkRun?
        show()
        if (state == null && intent.hasExtra(MODEL)) begin()
    }

    override fun onRetainNonConfigurationInstance(): Any? = run

    override fun onDestroy() {
        if (isChangingConfigurations) run?.onFinished = {} else run?.cancel()
        super.onDestroy()
    }

    private fun begin() {
        val request = BenchmarkRequest(
            model = intent.getStringExtra(MODEL),
            runs = intent.getIntExtra("runs", 50).coerceIn(1, 10_000),
            threads = intent.getIntExtra("threads", Settings(this).threads).coerceIn(1, Settings.MAX_THREADS),
        )
        run = BenchmarkRun(applicationContext, request)
        show()
    }

    private fun show() {
        val shown = run ?: return
        shown.onFinished = ::show
        val running = shown.report == null
        start.isEnabled = !running
        report.keepScreenOn = running
        report.text = shown.report ?: getString(R.string.running)
    }

    private companion object {
        const val MODEL = "model"
    }
}
