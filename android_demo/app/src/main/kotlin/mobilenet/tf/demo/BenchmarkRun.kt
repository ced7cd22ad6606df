package mobilenet.tf.demo

import android.content.Context
import android.os.Build
import android.os.Handler
import android.os.Looper
import java.io.File
import java.io.IOException
import kotlin.concurrent.thread
import mobilenet.tf.core.UserError
import mobilenet.tf.core.orUserError
import mobilenet.tf.engine.ImageModel
import mobilenet.tf.engine.Timing
import mobilenet.tf.engine.benchmarkJson

/** What to measure. A null name selects the model in use. */
class BenchmarkRequest(val model: String?, val runs: Int, val threads: Int)

/**
 * A benchmark on a thread of its own, which survives rotations of the screen. All functions are called
 * on the main thread.
 */
class BenchmarkRun(private val context: Context, private val request: BenchmarkRequest) {
    private val main = Handler(Looper.getMainLooper())

    /** Called when [report] has changed. */
    var onFinished: () -> Unit = {}

    /** The result, or one sentence on why there is none; null while it runs. */
    var report: String? = null
        private set

    private val worker = thread(name = "benchmark") {
        val text = try {
            orUserError { measure() }
        } catch (error: UserError) {
            error.message!!
        }
        main.post {
            report = text
            onFinished()
        }
    }

    /** End the measurement, as its result is not needed any more. */
    fun cancel() {
        onFinished = {}
        worker.interrupt()
    }

    private fun measure(): String {
        val settings = Settings(context)
        val store = ModelStore(context)
        val names = store.names()
        val name = request.model ?: settings.model?.takeIf { it in names } ?: names.firstOrNull()
            ?: throw UserError(context.getString(R.string.no_model))
        val threads = request.threads
        val content = store.load(name)
        val golden = store.golden(name)
        return ImageModel.open(content, threads, settings.accelerator).use { model ->
            val timing = Timing.of(model, request.runs)
            val difference = golden?.largestDifference(model)
            val json = benchmarkJson(name, "${Build.MANUFACTURER} ${Build.MODEL}", threads, model, timing, difference)
            listOfNotNull(
                context.resources.getQuantityString(R.plurals.loaded_model, threads, name, model.accelerator.name, threads),
                model.fallback,
                context.getString(R.string.times, timing.median, timing.p90, timing.runs),
                if (difference == null) context.getString(R.string.no_reference_outputs)
                else context.getString(R.string.difference, difference, golden.count),
                write(json),
            ).joinToString("\n\n")
        }
    }

    /** Write under a temporary name and rename, so that no reader sees a partial file. Return a message. */
    private fun write(json: String): String {
        val file = File(context.getExternalFilesDir(null) ?: return context.getString(R.string.not_written), "benchmark.json")
        return try {
            val partial = File(file.path + ".partial")
            partial.writeText(json)
            if (!partial.renameTo(file)) throw IOException("no space")
            // Show the path from the root of the shared storage, as file managers and /sdcard do.
            context.getString(R.string.written_to, "Android/" + file.path.substringAfter("/Android/"))
        } catch (error: IOException) {
            context.getString(R.string.not_written)
        }
    }
}
