package mobilenet.tf.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.SurfaceTexture
import android.net.Uri
import mobilenet.tf.live.Answer
import mobilenet.tf.live.CameraAccess
import mobilenet.tf.live.CameraInfo
import mobilenet.tf.live.CameraState
import mobilenet.tf.live.Facing
import mobilenet.tf.live.LiveState
import mobilenet.tf.live.LoadedModel

/** What draws a session. */
interface LiveScreen {
    fun show(state: LiveState<Bitmap>)

    /** The camera or its frames have changed. */
    fun fitPreview(camera: CameraInfo)

    /** Ask the user for the camera. */
    fun requestCamera()

    fun chooseModel(names: List<String>, deletable: List<String>)
}

/**
 * The live screen without its views. It survives rotations of the screen, with everything that is
 * under way. All functions are called on the main thread.
 */
class LiveSession(context: Context) : AnalyzerListener, CameraListener {
    private val settings = Settings(context)
    private val analyzer = Analyzer(context, ModelStore(context), this)
    private val cameras = CameraThread(context, analyzer::offer, this)
    private var options: Options? = null
    private var texture: SurfaceTexture? = null
    private var inFront = false
    private var cameraStarted = false
    private var anyCamera = false
    private var next = Facing.BACK

    /** The camera in use; null before the first. */
    var camera: CameraInfo? = null
        private set

    /** Whether the user was asked for the camera. Without having pressed a button, this happens once. */
    var asked = false

    var screen: LiveScreen? = null
        set(value) {
            field = value
            value?.show(state)
        }

    var state = LiveState<Bitmap>()
        private set(value) {
            field = value
            screen?.show(value)
            updateCamera()
        }

    /** The screen is in front. [granted] tells whether the app may use the camera. */
    fun resume(granted: Boolean) {
        openIfChanged()
        inFront = true
        state = state.copy(access = state.access.now(granted))
        askOnce()
    }

    fun pause() {
        inFront = false
        updateCamera()
    }

    fun close() {
        cameras.close()
        analyzer.close()
    }

    private fun askOnce() {
        if (inFront && anyCamera && !asked && state.access.asks) screen?.requestCamera()
    }

    /** @param before see [CameraAccess.afterRequest]. */
    fun permissionAnswered(granted: Boolean, before: Boolean, after: Boolean) {
        state = state.copy(access = CameraAccess.afterRequest(granted, before, after))
    }

    // Camera

    fun previewAvailable(texture: SurfaceTexture) {
        this.texture = texture
        updateCamera()
    }

    /** The view gives the texture up; it is released when the camera no longer uses it. */
    fun previewGone(texture: SurfaceTexture) {
        if (this.texture === texture) {
            this.texture = null
            updateCamera()
        }
        cameras.release(texture)
    }

    /** The screen was turned to this many degrees from its natural position. */
    fun turned(display: Int) {
        cameras.display = display
        camera?.let { screen?.fitPreview(it) }
    }

    fun switchCamera() {
        settings.facing = next
        restartCamera()
    }

    fun restartCamera() {
        cameras.stop()
        cameraStarted = false
        updateCamera()
    }

    private fun updateCamera() {
        val ready = texture.takeIf { inFront && state.wantsCamera }
        if ((ready != null) == cameraStarted) return
        cameraStarted = ready != null
        if (ready != null) cameras.start(ready, settings.facing) else cameras.stop()
    }

    override fun onCamerasListed(any: Boolean) {
        anyCamera = any
        if (!any) state = state.copy(camera = CameraState.NONE)
        askOnce()
    }

    override fun onCameraState(state: CameraState) {
        this.state = this.state.copy(camera = state)
    }

    override fun onCameraChosen(camera: CameraInfo, next: Facing) {
        this.camera = camera
        this.next = next
        state = state.copy(canSwitch = next != camera.facing, facesUser = camera.facing == Facing.FRONT)
        screen?.fitPreview(camera)
    }

    // Still images

    fun photo(uri: Uri) {
        // The app may have been restarted behind the picker, and this precedes onResume.
        openIfChanged()
        state = state.preparing()
        analyzer.analysePhoto(uri)
    }

    /** Freeze the picture, or return to the camera. */
    fun freezeOrResume() {
        if (state.still != null) {
            analyzer.live()
            state = state.live()
        } else if (state.canFreeze) {
            analyzer.freeze()
            state = state.preparing()
        }
    }

    override fun onStill(picture: Bitmap, answer: Answer) {
        state = state.prepared(picture, answer)
    }

    override fun onNothingToFreeze() {
        state = state.notPrepared()
    }

    // Models

    fun listModels() = analyzer.listModels()

    fun useModel(name: String) = opening { analyzer.open(name, it) }

    fun addFile(uri: Uri) = opening { analyzer.add(uri, it) }

    fun deleteModel(name: String) {
        if (state.model?.name == name) opening { analyzer.delete(name, it) } else analyzer.delete(name, settings.options())
    }

    /** Open the model again if the user has changed the settings since. */
    private fun openIfChanged() {
        if (settings.options() != options) useModel(settings.model.orEmpty())
    }

    private fun opening(open: (Options) -> Unit) {
        val current = settings.options()
        options = current
        state = state.opening()
        open(current)
    }

    override fun onOpened(model: LoadedModel) {
        // Remembered only now, after its first answer: a model that ends the app is not opened again.
        settings.model = model.name
        state = state.opened(model)
    }

    override fun onModels(names: List<String>, deletable: List<String>) {
        screen?.chooseModel(names, deletable)
    }

    override fun onAnswer(answer: Answer) {
        state = state.answered(answer)
    }

    override fun onError(message: String) {
        state = state.failed(message)
    }

    fun dismissError() {
        state = state.dismissed()
    }
}
