package mobilenet.tf.demo

import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import mobilenet.tf.core.FrameGate
import mobilenet.tf.core.MedianWindow
import mobilenet.tf.core.MovingAverage
import mobilenet.tf.core.PixelSource
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.Ranked
import mobilenet.tf.core.Unusable
import mobilenet.tf.core.Upright
import mobilenet.tf.core.topK
import mobilenet.tf.engine.Accelerator
import mobilenet.tf.engine.Classifier

/** What the screen shows: answers, and the medians of the last frames in milliseconds. */
class Answer(val ranked: List<Ranked>, val prepare: Double, val infer: Double, val dropped: Long)

/** Which model runs, and on what. */
class Running(val name: String, val accelerator: Accelerator, val fallback: String?, val threads: Int)

/** Told on the main thread. */
interface AnalysisListener {
    fun onRunning(running: Running)
    fun onAnswer(answer: Answer)
    fun onProblem(sentence: String)
}

/** Everything that takes time, on a thread of its own: one model, one frame after the other. */
class Analysis(private val store: ModelStore, private val settings: Settings, private val listener: AnalysisListener) {
    private val thread = HandlerThread("analysis").apply { start() }
    private val main = Handler(Looper.getMainLooper())

    /** Where frames are to be delivered. */
    val handler = Handler(thread.looper)

    private val gate = FrameGate()
    private val prepare = MedianWindow()
    private val infer = MedianWindow()
    private val average = MovingAverage(0.3f)
    private var classifier: Classifier? = null
    private var preprocessor: Preprocessor? = null
    @Volatile private var closed = false

    /** Load a model, or the same one with other settings. */
    fun open(name: String) {
        handler.post {
            free()
            guarded {
                val opened = Classifier.open(store.load(name), settings.threads, settings.accelerator)
                classifier = opened
                preprocessor = opened.preprocessor()
                val running = Running(name, opened.accelerator, opened.fallback, settings.threads)
                tell { onRunning(running) }
            }
        }
    }

    /**
     * Answer to a frame, unless one is being worked on: then it is dropped.
     *
     * @param frame called on this thread if the frame is taken; null: there is none any more.
     */
    fun frame(upright: Upright, frame: () -> PixelSource?) {
        if (!gate.tryEnter()) return
        guarded { frame()?.let { answer(it, upright, smooth = true) } }
        // The answer is drawn before the next frame is taken, so none waits in the main queue.
        main.post { gate.leave() }
    }

    /** Answer to one picture; [read] is given the input's side and crop, on this thread. */
    fun photo(read: (size: Int, crop: Double) -> Photo, show: (Photo) -> Unit) {
        handler.post {
            guarded {
                val loaded = classifier ?: return@guarded
                val photo = read(loaded.size, loaded.file.crop ?: 1.0)
                tell { show(photo) }
                answer(photo.source, photo.upright, smooth = false)
            }
        }
    }

    fun close() {
        closed = true
        handler.post { free() }
        thread.quitSafely()
    }

    private fun answer(source: PixelSource, upright: Upright, smooth: Boolean) {
        val loaded = classifier ?: return
        val start = System.nanoTime()
        val picture = preprocessor!!.prepare(source, upright)
        val prepared = System.nanoTime()
        val scores = loaded.classify(picture.pixels)
        infer.add((System.nanoTime() - prepared) / 1e6)
        prepare.add((prepared - start) / 1e6)
        val shown = if (smooth) average.add(scores) else scores
        val ranked = topK(shown, loaded.labels, settings.results, settings.threshold / 100f)
        val answer = Answer(ranked, prepare.median()!!, infer.median()!!, gate.dropped)
        tell { onAnswer(answer) }
    }

    private fun free() {
        classifier?.close()
        classifier = null
        average.reset()
        prepare.clear()
        infer.clear()
    }

    private fun guarded(work: () -> Unit) = try {
        work()
    } catch (error: Unusable) {
        tell { onProblem(error.message!!) }
    }

    private fun tell(what: AnalysisListener.() -> Unit) {
        main.post { if (!closed) listener.what() }
    }
}
