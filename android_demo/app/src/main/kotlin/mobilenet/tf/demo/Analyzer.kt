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
import mobilenet.tf.engine.ImageModel
import mobilenet.tf.live.Answer
import mobilenet.tf.live.CopiedFrame
import mobilenet.tf.live.LoadedModel
import mobilenet.tf.live.NewestFrame
import mobilenet.tf.tasks.Request
import mobilenet.tf.tasks.Task
import mobilenet.tf.tasks.drawing

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
 * Opens models and runs them on images, on a thread of its own, which alone uses the model.
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

    private class Opened(val runner: ImageModel, val task: Task, val model: LoadedModel, val options: Options) {
        val preprocessor: Preprocessor = runner.preprocessor()
    }

    /** Open a model; null, or a name that does not exist, opens the first one. */
    fun open(name: String?, options: Options) = post {
        orKeepModel {
            val names = store.names()
            val chosen = name?.takeIf { it in names } ?: names.firstOrNull() ?: throw UserError(context.getString(R.string.no_model))
            use(tried(chosen, store.load(chosen), options))
        }
    }

    /**
     * Copy a file into the app and open it. A model becomes one of the app's models if it gives an answer;
     * a gallery stays with the model in use, which must have made it.
     */
    fun add(uri: Uri, options: Options) = post {
        orKeepModel {
            val copy = store.copy(uri)
            try {
                if (copy.isModel()) addModel(copy, options) else addGallery(copy)
            } finally {
                copy.discard()
            }
        }
    }

    private fun addModel(copy: ModelStore.CopiedFile, options: Options) {
        val candidate = tried(copy.name, copy.map(), options)
        try {
            copy.keep()
        } catch (error: UserError) {
            candidate.runner.close()
            throw error
        }
        use(candidate)
    }

    private fun addGallery(copy: ModelStore.CopiedFile) {
        val loaded = opened ?: throw UserError(context.getString(R.string.no_model_open))
        val task = loaded.task.comparing(copy.gallery())
        copy.keepGallery(store.load(loaded.model.name))
        opened = Opened(loaded.runner, task, loaded.model, loaded.options)
        average.reset()
        reportModel()
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

    /** Analyse a camera frame unless a newer one arrives before its turn. May be called on any thread. */
    fun offer(frame: CopiedFrame) {
        if (frames.offer(frame)) handler.post(::nextFrame)
    }

    /** Analyse a photo. */
    fun analysePhoto(uri: Uri) = post { analyseStill(Photo.read(context, uri)) }

    /** Analyse the frame to which the newest answer belongs, on its own. */
    fun freeze() = post {
        val frame = lastFrame ?: return@post notifyListener { onNothingToFreeze() }
        lastFrame = null
        analyseStill(FrozenFrame(frame))
    }

    /** Forget the still image. */
    fun live() = post {
        still = null
        lastFrame = null
        average.reset()
    }

    fun close() {
        closed = true
        handler.post { opened?.runner?.close() }
        thread.quitSafely()
    }

    /** Let the model answer to a blank image, so that a model that cannot is never used nor remembered. */
    private fun tried(name: String, content: ByteBuffer, options: Options): Opened {
        val runner = ImageModel.open(content, options.threads, options.accelerator)
        var works = false
        try {
            runner.run(ByteArray(runner.input.count))
            val model = LoadedModel(name, runner.accelerator.name, options.threads, runner.fallback)
            val gallery = if (runner.task.compares) store.gallery(content) else null
            val task = gallery?.let { runner.task.comparing(it) } ?: runner.task
            return Opened(runner, task, model, options).also { works = true }
        } finally {
            if (!works) runner.close()
        }
    }

    private fun use(next: Opened) {
        opened?.runner?.close()
        opened = next
        average.reset()
        preprocessing.clear()
        inference.clear()
        reportModel()
    }

    private fun reportModel() {
        val model = opened?.model ?: return
        notifyListener { onOpened(model) }
        still?.let { analyseStill(it) }
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
                val answer = analyse(loaded, frame.source, frame.orientation, smooth = loaded.task.averaged)
                notifyListener { onAnswer(answer) }
            }
        }
        // The answer is drawn before the next frame is taken, so answers never queue up.
        main.post { handler.post(::nextFrame) }
    }

    private fun analyseStill(image: Still) {
        val loaded = opened ?: throw UserError(context.getString(R.string.no_model_open))
        val pixels = image.decode(loaded.preprocessor)
        val answer = analyse(loaded, pixels.source, pixels.orientation, smooth = false)
        val picture = pixels.bitmap()
        still = image
        notifyListener { onStill(picture, answer) }
    }

    private fun analyse(loaded: Opened, source: PixelSource, orientation: Orientation, smooth: Boolean): Answer {
        val start = System.nanoTime()
        val image = loaded.preprocessor.prepare(source, orientation)
        val preprocessed = System.nanoTime()
        val outputs = loaded.runner.run(image.pixels)
        inference.add((System.nanoTime() - preprocessed) / 1e6)
        preprocessing.add((preprocessed - start) / 1e6)
        val placement = loaded.preprocessor.placement(source, orientation)
        val request = Request(loaded.options.results, loaded.options.threshold / 100f, placement.target)
        val decoded = loaded.task.decode(if (smooth) average.add(outputs) else outputs, request)
        return Answer(decoded.predictions, decoded.noAnswer, decoded.drawing(placement), preprocessing.median()!!, inference.median()!!, frames.dropped)
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
