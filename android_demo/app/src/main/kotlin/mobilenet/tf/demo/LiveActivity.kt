package mobilenet.tf.demo

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.graphics.drawable.BitmapDrawable
import android.net.Uri
import android.os.Bundle
import android.provider.Settings as SystemSettings
import android.view.TextureView
import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.TextView
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.UserError

/** Main screen: camera preview, most likely classes, and latency. */
class LiveActivity : Activity(), AnalyzerListener, TextureView.SurfaceTextureListener {
    private lateinit var settings: Settings
    private lateinit var store: ModelStore
    private lateinit var analyzer: Analyzer
    private lateinit var preview: TextureView
    private lateinit var stillImage: ImageView
    private lateinit var bars: ScoreBars
    private var camera: CameraFeed? = null
    private var frozen = false
    private var permissionRequested = false
    private var result: AnalysisResult? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.live)
        settings = Settings(this)
        store = ModelStore(this)
        analyzer = Analyzer(store, settings, this)
        preview = findViewById(R.id.preview)
        stillImage = findViewById(R.id.still_image)
        bars = findViewById(R.id.bars)
        preview.surfaceTextureListener = this
        click(R.id.freeze) { if (frozen) resumeCamera() else freeze() }
        click(R.id.photo) { pick("image/*", PICK_PHOTO) }
        click(R.id.model) { chooseModel() }
        click(R.id.settings) { startActivity(Intent(this, SettingsActivity::class.java)) }
        click(R.id.benchmark) { startActivity(Intent(this, BenchmarkActivity::class.java)) }
        click(R.id.allow_camera) { requestCameraPermission() }
        permissionRequested = state?.getBoolean(PERMISSION_REQUESTED) ?: false
        (lastNonConfigurationInstance as? RetainedState)?.let {
            showStillImage(it.image)
            it.result?.let(::onResult)
        }
    }

    /** Keep the still image and its result when the screen is rotated. */
    override fun onRetainNonConfigurationInstance(): Any? =
        (stillImage.drawable as? BitmapDrawable)?.takeIf { frozen }?.let { RetainedState(it.bitmap, result) }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putBoolean(PERMISSION_REQUESTED, permissionRequested)
    }

    override fun onResume() {
        super.onResume()
        bars.lines = settings.results
        if (!openModel()) return notice(getString(R.string.no_model))
        if (!frozen) startCamera()
    }

    /** Open the selected model, or the first one. Return false if the app contains no model. */
    private fun openModel(): Boolean {
        val names = store.names()
        val name = settings.model?.takeIf { it in names } ?: names.firstOrNull() ?: return false
        analyzer.open(name)
        return true
    }

    override fun onPause() {
        stopCamera()
        super.onPause()
    }

    override fun onDestroy() {
        analyzer.close()
        super.onDestroy()
    }

    // Camera

    private fun startCamera() {
        if (!packageManager.hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY)) return notice(getString(R.string.no_camera))
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            notice(getString(R.string.camera_denied), canAllow = true)
            if (!permissionRequested) requestCameraPermission()
            return
        }
        notice(null)
        if (camera != null || !preview.isAvailable) return
        val feed = CameraFeed(this, analyzer.handler) { runOnUiThread { onError(getString(R.string.camera_lost)) } }
        if (feed.id == null) return notice(getString(R.string.no_camera))
        camera = feed
        val orientation = Orientation.fromCamera(feed.sensor, displayDegrees(), feed.front)
        rotatePreview(feed)
        feed.open(preview.surfaceTexture!!) { image -> analyzer.classifyFrame(orientation) { image.toFrame() } }
    }

    private fun stopCamera() {
        camera?.close()
        camera = null
    }

    private fun requestCameraPermission() {
        if (permissionRequested && !shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)) {
            // The permission was denied permanently; only the system's settings can change that.
            val app = Uri.fromParts("package", packageName, null)
            return startActivity(Intent(SystemSettings.ACTION_APPLICATION_DETAILS_SETTINGS, app))
        }
        permissionRequested = true
        requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
    }

    @Suppress("DEPRECATION") // Context.getDisplay requires API 30.
    private fun displayDegrees(): Int = windowManager.defaultDisplay.rotation * 90

    /**
     * Rotate and scale the preview so that frames are upright and keep their aspect ratio.
     *
     * A TextureView compensates for the sensor's angle, but not for the rotation of the screen, and it
     * stretches frames to its own size.
     */
    private fun rotatePreview(feed: CameraFeed) {
        val (width, height) = preview.width.toFloat() to preview.height.toFloat()
        val sideways = feed.sensor % 180 != 0
        val frameWidth = (if (sideways) feed.size.height else feed.size.width).toFloat()
        val frameHeight = (if (sideways) feed.size.width else feed.size.height).toFloat()
        val degrees = displayDegrees()
        val rotated = degrees % 180 != 0
        val scale = minOf(width / (if (rotated) frameHeight else frameWidth), height / (if (rotated) frameWidth else frameHeight))
        preview.setTransform(
            Matrix().apply {
                postScale(frameWidth * scale / width, frameHeight * scale / height, width / 2, height / 2)
                postRotate(-degrees.toFloat(), width / 2, height / 2)
            },
        )
    }

    override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) {
        if (!frozen) startCamera()
    }

    override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) {
        camera?.let { rotatePreview(it) }
    }

    override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit

    override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
        stopCamera()
        return true
    }

    // Still image

    private fun freeze() {
        if (camera == null) return
        showStillImage(preview.bitmap ?: return)
        stopCamera()
    }

    private fun showStillImage(image: Bitmap) {
        stillImage.setImageBitmap(image)
        frozen = true
        stillImage.visibility = View.VISIBLE
        notice(null)
        findViewById<Button>(R.id.freeze).setText(R.string.resume)
    }

    private fun resumeCamera() {
        frozen = false
        stillImage.visibility = View.GONE
        stillImage.setImageDrawable(null)
        findViewById<Button>(R.id.freeze).setText(R.string.freeze)
        startCamera()
    }

    private fun pick(type: String, request: Int) {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType(type)
        try {
            startActivityForResult(intent, request)
        } catch (error: android.content.ActivityNotFoundException) {
            onError(getString(R.string.file_unreadable))
        }
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data?.takeIf { result == RESULT_OK } ?: return
        if (request == PICK_PHOTO) {
            frozen = true
            stopCamera()
            // This is called before onResume, and the app may have been restarted, so the model must be opened here.
            openModel()
            analyzer.classifyPhoto({ size, crop -> readPhoto(this, uri, size, crop) }) { showStillImage(it.bitmap) }
        } else {
            analyzer.handler.post { addModel(uri) }
        }
    }

    // Model

    private fun chooseModel() {
        val names = store.names()
        val items = (names + getString(R.string.open_file)).toTypedArray()
        AlertDialog.Builder(this)
            .setTitle(R.string.model)
            .setItems(items) { _, index -> names.getOrNull(index)?.let { useModel(it) } ?: pick("*/*", PICK_MODEL) }
            .show()
    }

    private fun addModel(uri: Uri) = try {
        val name = store.add(uri)
        runOnUiThread { useModel(name) }
    } catch (error: UserError) {
        runOnUiThread { onError(error.message!!) }
    }

    private fun useModel(name: String) {
        settings.model = name
        notice(null)
        analyzer.open(name)
        if (!frozen) startCamera()
    }

    // Results of the analyzer

    override fun onModelLoaded(model: LoadedModel) {
        val text = getString(R.string.loaded_model, model.name, model.accelerator.name, model.threads)
        findViewById<TextView>(R.id.loaded_model).text = listOfNotNull(text, model.fallback).joinToString("\n")
    }

    override fun onResult(result: AnalysisResult) {
        this.result = result
        bars.predictions = result.predictions
        findViewById<TextView>(R.id.latency).apply {
            text = getString(R.string.latency, result.preprocessing, result.inference, result.dropped)
            contentDescription = getString(R.string.latency_spoken, result.preprocessing, result.inference)
        }
    }

    override fun onError(message: String) = notice(message)

    /** Show a message over the image; null removes it. */
    private fun notice(message: String?, canAllow: Boolean = false) {
        findViewById<View>(R.id.notice).visibility = if (message == null) View.GONE else View.VISIBLE
        findViewById<TextView>(R.id.notice_text).text = message
        findViewById<View>(R.id.allow_camera).visibility = if (canAllow) View.VISIBLE else View.GONE
    }

    private fun click(id: Int, action: () -> Unit) = findViewById<View>(id).setOnClickListener { action() }

    private class RetainedState(val image: Bitmap, val result: AnalysisResult?)

    private companion object {
        const val PICK_PHOTO = 1
        const val PICK_MODEL = 2
        const val PERMISSION_REQUESTED = "permission_requested"
    }
}
