package mobilenet.tf.demo

import android.Manifest
import android.app.Activity
import android.app.Dialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.hardware.display.DisplayManager
import android.net.Uri
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.provider.Settings as SystemSettings
import android.view.Menu
import android.view.MenuItem
import android.view.TextureView
import android.view.View
import mobilenet.tf.live.CameraInfo
import mobilenet.tf.live.LiveState
import mobilenet.tf.live.PreviewFit

/** Main screen: camera preview, what the model says about it, and latency. A [LiveSession] does the work. */
class LiveActivity : Activity(), LiveScreen, TextureView.SurfaceTextureListener, DisplayManager.DisplayListener {
    private lateinit var session: LiveSession
    private lateinit var views: LiveViews
    private val pickers = Pickers(this)
    private var dialog: Dialog? = null
    private var explainedBefore = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.live)
        views = LiveViews(window.decorView)
        @Suppress("DEPRECATION") // Its replacement is a ViewModel, which is not part of the platform.
        session = lastNonConfigurationInstance as? LiveSession ?: LiveSession(applicationContext)
        if (state != null && state.getBoolean(ASKED)) session.asked = true
        explainedBefore = state?.getBoolean(EXPLAINED) ?: false
        views.preview.surfaceTextureListener = this
        click(R.id.freeze) { session.freezeOrResume() }
        click(R.id.photo) { orNotice { pickers.photo(PHOTO) } }
        click(R.id.switch_camera) { session.switchCamera() }
        click(R.id.allow_camera) { requestCamera() }
        click(R.id.open_settings) { openAppSettings() }
        click(R.id.retry) { session.restartCamera() }
        click(R.id.dismiss) { session.dismissError() }
        session.screen = this
    }

    override fun onRetainNonConfigurationInstance(): Any = session

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putBoolean(ASKED, session.asked)
        state.putBoolean(EXPLAINED, explainedBefore)
    }

    override fun onResume() {
        super.onResume()
        getSystemService(DisplayManager::class.java).registerDisplayListener(this, Handler(Looper.getMainLooper()))
        session.turned(displayDegrees())
        views.setLines(Settings(this).results)
        session.resume(granted())
    }

    override fun onPause() {
        session.pause()
        getSystemService(DisplayManager::class.java).unregisterDisplayListener(this)
        super.onPause()
    }

    override fun onDestroy() {
        dialog?.dismiss()
        if (session.screen === this) session.screen = null
        if (!isChangingConfigurations) session.close()
        super.onDestroy()
    }

    override fun show(state: LiveState<Bitmap>) = views.show(state)

    // Camera

    private fun granted() = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    override fun requestCamera() {
        session.asked = true
        explainedBefore = shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)
        requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        super.onRequestPermissionsResult(request, permissions, results)
        val after = shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)
        session.permissionAnswered(granted(), explainedBefore, after)
    }

    private fun openAppSettings() = orNotice {
        val app = Uri.fromParts("package", packageName, null)
        startActivity(Intent(SystemSettings.ACTION_APPLICATION_DETAILS_SETTINGS, app))
    }

    @Suppress("DEPRECATION") // Context.getDisplay requires API 30.
    private fun displayDegrees(): Int = windowManager.defaultDisplay.rotation * 90

    override fun fitPreview(camera: CameraInfo) {
        val (width, height) = views.preview.width to views.preview.height
        if (width == 0 || height == 0) return
        val fit = PreviewFit.of(camera, width, height, displayDegrees())
        views.preview.setTransform(
            Matrix().apply {
                postScale(fit.scaleX, fit.scaleY, width / 2f, height / 2f)
                postRotate(fit.degrees.toFloat(), width / 2f, height / 2f)
            },
        )
    }

    /** Between the two landscapes the screen turns by 180 degrees, and the activity is not created again. */
    override fun onDisplayChanged(id: Int) = session.turned(displayDegrees())

    override fun onDisplayAdded(id: Int) = Unit

    override fun onDisplayRemoved(id: Int) = Unit

    override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) = session.previewAvailable(texture)

    override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) {
        session.camera?.let { fitPreview(it) }
    }

    override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit

    override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
        session.previewGone(texture)
        return false
    }

    // Menu, models and photos

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menuInflater.inflate(R.menu.live, menu)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.model -> session.listModels()
            R.id.settings -> startActivity(Intent(this, SettingsActivity::class.java))
            R.id.benchmark -> startActivity(Intent(this, BenchmarkActivity::class.java))
            else -> return super.onOptionsItemSelected(item)
        }
        return true
    }

    override fun chooseModel(names: List<String>, deletable: List<String>) =
        present(modelDialog(this, names, deletable, session, ::present) { orNotice { pickers.file(MODEL) } })

    /** Show a dialog, which [onDestroy] dismisses, instead of the one before. */
    private fun present(next: Dialog) {
        dialog?.dismiss()
        dialog = next
        next.show()
    }

    /** Start another app's screen; a device may have none that can do it. */
    private fun orNotice(start: () -> Unit) = try {
        start()
    } catch (error: ActivityNotFoundException) {
        session.onError(getString(R.string.no_app))
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data?.takeIf { result == RESULT_OK } ?: return
        if (request == PHOTO) session.photo(uri) else session.addFile(uri)
    }

    private fun click(id: Int, action: () -> Unit) = findViewById<View>(id).setOnClickListener { action() }

    private companion object {
        const val PHOTO = 1
        const val MODEL = 2
        const val ASKED = "asked"
        const val EXPLAINED = "explained"
    }
}
