package mobilenet.tf.demo

import android.content.Context
import mobilenet.tf.engine.Accelerator

/** The user's settings, saved across restarts of the app. */
class Settings(context: Context) {
    private val store = context.getSharedPreferences("settings", Context.MODE_PRIVATE)

    /** Number of CPU threads. */
    var threads: Int
        get() = store.getInt("threads", minOf(2, MAX_THREADS)).coerceIn(1, MAX_THREADS)
        set(value) = store.edit().putInt("threads", value).apply()

    /** Lowest score that is shown, in percent. */
    var threshold: Int
        get() = store.getInt("threshold", 5).coerceIn(0, 95)
        set(value) = store.edit().putInt("threshold", value).apply()

    /** Number of classes that are shown. */
    var results: Int
        get() = store.getInt("results", 3).coerceIn(1, MAX_RESULTS)
        set(value) = store.edit().putInt("results", value).apply()

    var accelerator: Accelerator
        get() = Accelerator.values().firstOrNull { it.name == store.getString("accelerator", null) }
            ?: Accelerator.XNNPACK
        set(value) = store.edit().putString("accelerator", value.name).apply()

    /** Name of the selected model in [ModelStore]; null selects the first one. */
    var model: String?
        get() = store.getString("model", null)
        set(value) = store.edit().putString("model", value).apply()

    companion object {
        val MAX_THREADS = Runtime.getRuntime().availableProcessors().coerceIn(1, 8)
        const val MAX_RESULTS = 10
    }
}
