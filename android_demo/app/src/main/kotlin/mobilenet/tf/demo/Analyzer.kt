package mobilenet.tf.demo

import android.content.Context
import android.graphics.Bitmap
import android.net.Uri
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import java.nio.ByteBuffer
import mobilenet.tf.core.MovingAverage
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.PixelSource
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.RollingMedian
import mobilenet.tf.core.UserError
import mobilenet.tf.core.orUserError
import mobilenet.tf.core.topK
import mobilenet.tf.engine.Classifier
import mobilenet.tf.live.Answer
import mobilenet.tf.live.CopiedFrame
import mobilenet.tf.live.LoadedModel
import mobilenet.tf.live.NewestFrame

/** Receives results on the main thread, in the order of the calls that caused them. */
interface AnalyzerListener {
    fun onOpened(model: LoadedModel)

    fun onAnswer(answer: Answer)

    /** @param picture the still image, upright, as the model got it. */
    fun onStill(picture: Bitmap, answer: Answer)

    fun onNothingToFreeze()

    /** @param deletable the names of models that the user may delete. */
    fun onModels(names: List<String>, deletable: List<String>)

    /** @param message one sentence for the user. */
    fun onError(message: String)
}

/**
 * Opens models and classifies images on a thread of its own, which alone uses the classifier.
 *
 * A still image belongs to this class until [live], so that another model answers to it as well.
 */
class Analyzer(private val context: Context, private val store: ModelStore, private val listener: AnalyzerListener) {
    private val thread = HandlerThread("analyzer").apply { start() }
    private val handler = Handler(thread.looper)
    private val main = Handler(Looper.getMainLooper())
    private val frames = NewestFrame<CopiedFrame>()

    private val preprocessing = RollingMedian()
    private val inference = RollingMedian()
    private val average = MovingAverage(0.3f)
    private var opened: Opened? = null
    private var still: Still? = null
    private var lastFrame: CopiedFrame? = null
    @Volatile private var closed = false

    private class Opened(val classifier: Classifier, val model: LoadedModel, val options: Options) {
        val preprocessor: Preprocessor = classifier.preprocessor()
        val crop: Double = classifier.file.crop ?: 1.0
    }

    /** Open a model; null, or a name that does not exist, opens the first one. */
    fun open(name: String?, options: Options) = post {
        orKeepModel {
            val names = store.names()
            val chosen = name?.takeIf { it in names } ?: names.firstOrNull() ?: throw UserError(context.getString(R.string.no_model))
            use(tried(chosen, store.load(chosen), options))
        }
    }

    /** Copy a file into the app and open it. It becomes one of the app's models if it gives an answer. */
    fun add(uri: Uri, options: Options) = post {
        orKeepModel {
            val copy = store.copy(uri)
            try {
                val candidate = tried(copy.name, copy.map(), options)
                try {
                    copy.keep()
                } catch (error: UserError) {
                    candidate.classifier.close()
                    throw error
                }
                use(candidate)
            } finally {
                copy.discard()
            }
        }
    }

    /** Delete a model that the user opened. If it is in use, open the first one. */
    fun delete(name: String, options: Options) {
        post { store.delete(name) }
        post { if (opened?.model?.name == name) open(null, options) }
    }

    fun listModels() = post {
        val (names, deletable) = store.names() to store.opened()
        notifyListener { onModels(names, deletable) }
    }

    /** Classify a camera frame unless a newer one arrives before its turn. May be called on any thread. */
    fun offer(frame: CopiedFrame) {
        if (frames.offer(frame)) handler.post(::nextFrame)
    }

    /** Classify a photo. */
    fun classifyPhoto(uri: Uri) = post { classifyStill(Photo.read(context, uri)) }

    /** Classify the frame to which the newest answer belongs, on its own. */
    fun freeze() = post {
        val frame = lastFrame ?: return@post notifyListener { onNothingToFreeze() }
        lastFrame = null
        classifyStill(FrozenFrame(frame))
    }

    /** Forget the still image. */
    fun live() = post {
        still = null
        lastFrame = null
        average.reset()
    }

    fun close() {
        closed = true
        handler.post { opened?.classifier?.close() }
        thread.quitSafely()
    }

    /** Let the model answer to a blank image, so that a model that cannot is never used nor remembered. */
    private fun tried(name: String, content: ByteBuffer, options: Options): Opened {
        val classifier = Classifier.open(content, options.threads, options.accelerator)
        var works = false
        try {
            classifier.classify(ByteArray(classifier.input.count))
            val model = LoadedModel(name, classifier.accelerator.name, options.threads, classifier.fallback)
            return Opened(classifier, model, options).also { works = true }
        } finally {
            if (!works) classifier.close()
        }
    }

    private fun use(next: Opened) {
        opened?.classifier?.close()
        opened = next
        average.reset()
        preprocessing.clear()
        inference.clear()
        reportModel()
    }

    private fun reportModel() {
        val model = opened?.model ?: return
        notifyListener { onOpened(model) }
        still?.let { classifyStill(it) }
    }

    /** If another model cannot be opened, the one in use stays. */
    private fun orKeepModel(work: () -> Unit) = try {
        orUserError(work)
    } catch (error: UserError) {
        reportModel()
        throw error
    }

    private fun nextFrame() {
        val frame = frames.take() ?: return
        lastFrame?.close()
        lastFrame = frame
        guarded {
            val loaded = opened
            if (still == null && loaded != null) {
                val answer = classify(loaded, frame.source, frame.orientation, smooth = true)
                notifyListener { onAnswer(answer) }
            }
        }
        // The answer is drawn before the next frame is taken, so answers never queue up.
        main.post { handler.post(::nextFrame) }
    }

    private fun classifyStill(image: Still) {
        val loaded = opened ?: throw UserError(context.getString(R.string.no_model_open))
        val pixels = image.decode(loaded.classifier.size, loaded.crop)
        val answer = classify(loaded, pixels.source, pixels.orientation, smooth = false)
        val picture = pixels.bitmap()
        still = image
        notifyListener { onStill(picture, answer) }
    }

    private fun classify(loaded: Opened, source: PixelSource, orientation: Orientation, smooth: Boolean): Answer {
        val start = System.nanoTime()
        val image = loaded.preprocessor.prepare(source, orientation)
        val preprocessed = System.nanoTime()
        val scores = loaded.classifier.classify(image.pixels)
        inference.add((System.nanoTime() - preprocessed) / 1e6)
        preprocessing.add((preprocessed - start) / 1e6)
        val shown = if (smooth) average.add(scores) else scores
        val predictions = topK(shown, loaded.classifier.labels, loaded.options.results, loaded.options.threshold / 100f)
        return Answer(predictions, preprocessing.median()!!, inference.median()!!, frames.dropped)
    }

    private fun post(work: () -> Unit) {
        handler.post { guarded(work) }
    }

    private fun guarded(work: () -> Unit) = try {
        orUserError(work)
    } catch (error: UserError) {
        notifyListener { onError(error.message!!) }
    }

    private fun notifyListener(call: AnalyzerListener.() -> Unit) {
        main.post { if (!closed) listener.call() }
    }
}
