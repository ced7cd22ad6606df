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
import mobilenet.tf.core.Unusable
import mobilenet.tf.core.Upright

/** The camera, the likeliest classes of what it sees, and how long that took. */
class LiveActivity : Activity(), AnalysisListener, TextureView.SurfaceTextureListener {
    private lateinit var settings: Settings
    private lateinit var store: ModelStore
    private lateinit var analysis: Analysis
    private lateinit var preview: TextureView
    private lateinit var still: ImageView
    private lateinit var bars: ScoreBars
    private var camera: CameraFeed? = null
    private var frozen = false
    private var asked = false
    private var answer: Answer? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.live)
        settings = Settings(this)
        store = ModelStore(this)
        analysis = Analysis(store, settings, this)
        preview = findViewById(R.id.preview)
        still = findViewById(R.id.still)
        bars = findViewById(R.id.bars)
        preview.surfaceTextureListener = this
        click(R.id.freeze) { if (frozen) resumeCamera() else freeze() }
        click(R.id.photo) { pick("image/*", PICK_PHOTO) }
        click(R.id.model) { chooseModel() }
        click(R.id.settings) { startActivity(Intent(this, SettingsActivity::class.java)) }
        click(R.id.benchmark) { startActivity(Intent(this, BenchmarkActivity::class.java)) }
        click(R.id.allow) { askForCamera() }
        asked = state?.getBoolean(ASKED) ?: false
        (lastNonConfigurationInstance as? Kept)?.let {
            showStill(it.picture)
            it.answer?.let(::onAnswer)
        }
    }

    /** A still picture and its answer outlive a rotation. */
    override fun onRetainNonConfigurationInstance(): Any? =
        (still.drawable as? BitmapDrawable)?.takeIf { frozen }?.let { Kept(it.bitmap, answer) }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putBoolean(ASKED, asked)
    }

    override fun onResume() {
        super.onResume()
        bars.lines = settings.results
        if (!openModel()) return notice(getString(R.string.no_model))
        if (!frozen) startCamera()
    }

    /** Whether there is one to open. */
    private fun openModel(): Boolean {
        val names = store.names()
        val name = settings.model?.takeIf { it in names } ?: names.firstOrNull() ?: return false
        analysis.open(name)
        return true
    }

    override fun onPause() {
        stopCamera()
        super.onPause()
    }

    override fun onDestroy() {
        analysis.close()
        super.onDestroy()
    }

    // The camera

    private fun startCamera() {
        if (!packageManager.hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY)) return notice(getString(R.string.no_camera))
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            notice(getString(R.string.camera_denied), canAllow = true)
            if (!asked) askForCamera()
            return
        }
        notice(null)
        if (camera != null || !preview.isAvailable) return
        val feed = CameraFeed(this, analysis.handler) { runOnUiThread { onProblem(getString(R.string.camera_lost)) } }
        if (feed.id == null) return notice(getString(R.string.no_camera))
        camera = feed
        val upright = Upright.ofCamera(feed.sensor, displayDegrees(), feed.front)
        showUpright(feed)
        feed.open(preview.surfaceTexture!!) { image -> analysis.frame(upright) { image.toFrame() } }
    }

    private fun stopCamera() {
        camera?.close()
        camera = null
    }

    private fun askForCamera() {
        if (asked && !shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)) {
            // Denied for good: only the system's own screen can change that.
            val app = Uri.fromParts("package", packageName, null)
            return startActivity(Intent(SystemSettings.ACTION_APPLICATION_DETAILS_SETTINGS, app))
        }
        asked = true
        requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
    }

    @Suppress("DEPRECATION") // The display of a context came with API 30.
    private fun displayDegrees(): Int = windowManager.defaultDisplay.rotation * 90

    /**
     * A TextureView undoes the sensor's angle for the natural position of the device, but knows
     * nothing of how the screen is turned, and stretches frames to its own shape.
     */
    private fun showUpright(feed: CameraFeed) {
        val (wide, high) = preview.width.toFloat() to preview.height.toFloat()
        val sideways = feed.sensor % 180 != 0
        val frameWide = (if (sideways) feed.size.height else feed.size.width).toFloat()
        val frameHigh = (if (sideways) feed.size.width else feed.size.height).toFloat()
        val degrees = displayDegrees()
        val turned = degrees % 180 != 0
        val scale = minOf(wide / (if (turned) frameHigh else frameWide), high / (if (turned) frameWide else frameHigh))
        preview.setTransform(
            Matrix().apply {
                postScale(frameWide * scale / wide, frameHigh * scale / high, wide / 2, high / 2)
                postRotate(-degrees.toFloat(), wide / 2, high / 2)
            },
        )
    }

    override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) {
        if (!frozen) startCamera()
    }

    override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) {
        camera?.let { showUpright(it) }
    }

    override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit

    override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
        stopCamera()
        return true
    }

    // A still picture

    private fun freeze() {
        if (camera == null) return
        showStill(preview.bitmap ?: return)
        stopCamera()
    }

    private fun showStill(picture: Bitmap) {
        still.setImageBitmap(picture)
        frozen = true
        still.visibility = View.VISIBLE
        notice(null)
        findViewById<Button>(R.id.freeze).setText(R.string.resume)
    }

    private fun resumeCamera() {
        frozen = false
        still.visibility = View.GONE
        still.setImageDrawable(null)
        findViewById<Button>(R.id.freeze).setText(R.string.freeze)
        startCamera()
    }

    private fun pick(type: String, request: Int) {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType(type)
        try {
            startActivityForResult(intent, request)
        } catch (error: android.content.ActivityNotFoundException) {
            onProblem(getString(R.string.file_unreadable))
        }
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data?.takeIf { result == RESULT_OK } ?: return
        if (request == PICK_PHOTO) {
            frozen = true
            stopCamera()
            // This comes before onResume, and the app may have been killed meanwhile.
            openModel()
            analysis.photo({ size, crop -> readPhoto(this, uri, size, crop) }) { showStill(it.shown) }
        } else {
            analysis.handler.post { addModel(uri) }
        }
    }

    // The model

    private fun chooseModel() {
        val names = store.names()
        val items = (names + getString(R.string.open_file)).toTypedArray()
        AlertDialog.Builder(this)
            .setTitle(R.string.model)
            .setItems(items) { _, index -> names.getOrNull(index)?.let { use(it) } ?: pick("*/*", PICK_MODEL) }
            .show()
    }

    private fun addModel(uri: Uri) = try {
        val name = store.add(uri)
        runOnUiThread { use(name) }
    } catch (error: Unusable) {
        runOnUiThread { onProblem(error.message!!) }
    }

    private fun use(name: String) {
        settings.model = name
        notice(null)
        analysis.open(name)
        if (!frozen) startCamera()
    }

    // What comes back

    override fun onRunning(running: Running) {
        val text = getString(R.string.runs_on, running.name, running.accelerator.name, running.threads)
        findViewById<TextView>(R.id.runs_on).text = listOfNotNull(text, running.fallback).joinToString("\n")
    }

    override fun onAnswer(answer: Answer) {
        this.answer = answer
        bars.ranked = answer.ranked
        findViewById<TextView>(R.id.latency).apply {
            text = getString(R.string.latency, answer.prepare, answer.infer, answer.dropped)
            contentDescription = getString(R.string.latency_spoken, answer.prepare, answer.infer)
        }
    }

    override fun onProblem(sentence: String) = notice(sentence)

    /** A sentence over the picture; null takes it away. */
    private fun notice(sentence: String?, canAllow: Boolean = false) {
        findViewById<View>(R.id.notice).visibility = if (sentence == null) View.GONE else View.VISIBLE
        findViewById<TextView>(R.id.notice_text).text = sentence
        findViewById<View>(R.id.allow).visibility = if (canAllow) View.VISIBLE else View.GONE
    }

    private fun click(id: Int, action: () -> Unit) = findViewById<View>(id).setOnClickListener { action() }

    private class Kept(val picture: Bitmap, val answer: Answer?)

    private companion object {
        const val PICK_PHOTO = 1
        const val PICK_MODEL = 2
        const val ASKED = "asked"
    }
}
