package mobilenet.tf.demo

import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import mobilenet.tf.core.FrameGate
import mobilenet.tf.core.MovingAverage
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.PixelSource
import mobilenet.tf.core.Prediction
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.RollingMedian
import mobilenet.tf.core.UserError
import mobilenet.tf.core.topK
import mobilenet.tf.engine.Accelerator
import mobilenet.tf.engine.Classifier

/**
 * What the live screen shows about an image.
 *
 * @property predictions most likely classes, best first.
 * @property preprocessing median over the last frames, in milliseconds.
 * @property inference median over the last frames, in milliseconds.
 * @property dropped number of frames dropped so far.
 */
class AnalysisResult(
    val predictions: List<Prediction>,
    val preprocessing: Double,
    val inference: Double,
    val dropped: Long,
)

/** The model in use and what runs it; see [Classifier] for [accelerator] and [fallback]. */
class LoadedModel(val name: String, val accelerator: Accelerator, val fallback: String?, val threads: Int)

/** Receives results on the main thread. */
interface AnalyzerListener {
    fun onModelLoaded(model: LoadedModel)
    fun onResult(result: AnalysisResult)

    /** @param message one sentence for the user. */
    fun onError(message: String)
}

/** Loads models and classifies images on a background thread, one frame at a time. */
class Analyzer(private val store: ModelStore, private val settings: Settings, private val listener: AnalyzerListener) {
    private val thread = HandlerThread("analyzer").apply { start() }
    private val main = Handler(Looper.getMainLooper())

    /** Handler of the background thread. Camera frames must be delivered on it. */
    val handler = Handler(thread.looper)

    private val gate = FrameGate()
    private val preprocessing = RollingMedian()
    private val inference = RollingMedian()
    private val average = MovingAverage(0.3f)
    private var classifier: Classifier? = null
    private var preprocessor: Preprocessor? = null
    @Volatile private var closed = false

    /** Load a model, or reload the current one with changed settings. */
    fun open(name: String) {
        handler.post {
            free()
            reportErrors {
                val opened = Classifier.open(store.load(name), settings.threads, settings.accelerator)
                classifier = opened
                preprocessor = opened.preprocessor()
                val model = LoadedModel(name, opened.accelerator, opened.fallback, settings.threads)
                notifyListener { onModelLoaded(model) }
            }
        }
    }

    /**
     * Classify a camera frame, or drop it if the previous one is still being processed.
     *
     * @param frame returns the frame, or null if it is no longer available. It is called on the current
     *   thread, and only if the frame is not dropped.
     */
    fun classifyFrame(orientation: Orientation, frame: () -> PixelSource?) {
        if (!gate.tryEnter()) return
        reportErrors { frame()?.let { classify(it, orientation, smooth = true) } }
        // The result is drawn before the next frame is accepted, so results never queue up.
        main.post { gate.leave() }
    }

    /**
     * Classify a photo.
     *
     * @param read reads the photo for the given input side and crop, on the background thread.
     * @param show shows the photo, on the main thread.
     */
    fun classifyPhoto(read: (size: Int, crop: Double) -> Photo, show: (Photo) -> Unit) {
        handler.post {
            reportErrors {
                val loaded = classifier ?: return@reportErrors
                val photo = read(loaded.size, loaded.file.crop ?: 1.0)
                notifyListener { show(photo) }
                classify(photo.source, photo.orientation, smooth = false)
            }
        }
    }

    fun close() {
        closed = true
        handler.post { free() }
        thread.quitSafely()
    }

    private fun classify(source: PixelSource, orientation: Orientation, smooth: Boolean) {
        val loaded = classifier ?: return
        val start = System.nanoTime()
        val image = preprocessor!!.prepare(source, orientation)
        val preprocessed = System.nanoTime()
        val scores = loaded.classify(image.pixels)
        inference.add((System.nanoTime() - preprocessed) / 1e6)
        preprocessing.add((preprocessed - start) / 1e6)
        val displayed = if (smooth) average.add(scores) else scores
        val predictions = topK(displayed, loaded.labels, settings.results, settings.threshold / 100f)
        val result = AnalysisResult(predictions, preprocessing.median()!!, inference.median()!!, gate.dropped)
        notifyListener { onResult(result) }
    }

    private fun free() {
        classifier?.close()
        classifier = null
        average.reset()
        preprocessing.clear()
        inference.clear()
    }

    private fun reportErrors(work: () -> Unit) = try {
        work()
    } catch (error: UserError) {
        notifyListener { onError(error.message!!) }
    }

    private fun notifyListener(call: AnalyzerListener.() -> Unit) {
        main.post { if (!closed) listener.call() }
    }
}
