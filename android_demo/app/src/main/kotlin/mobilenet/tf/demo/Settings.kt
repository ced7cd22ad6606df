package mobilenet.tf.demo

import android.content.Context
import mobilenet.tf.engine.Accelerator
import mobilenet.tf.live.Facing

/** The choices that an answer depends on, apart from the model. Immutable, for use on any thread. */
data class Options(val threads: Int, val accelerator: Accelerator, val threshold: Int, val results: Int)

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

    /** Name in [ModelStore] of the model that last gave an answer; null selects the first one. */
    var model: String?
        get() = store.getString("model", null)
        set(value) = store.edit().putString("model", value).apply()

    /** Direction of the camera in use. */
    var facing: Facing
        get() = Facing.values().firstOrNull { it.name == store.getString("facing", null) } ?: Facing.BACK
        set(value) = store.edit().putString("facing", value.name).apply()

    fun options() = Options(threads, accelerator, threshold, results)

    companion object {
        val MAX_THREADS = Runtime.getRuntime().availableProcessors().coerceIn(1, 8)
        const val MAX_RESULTS = 10
    }
}
