package mobilenet.tf.demo

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.net.Uri
import android.util.Size
import android.view.TextureView
import android.view.View
import android.widget.TextView
import java.io.File
import java.util.Collections
import mobilenet.tf.core.Json
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.fakes.RoboMenuItem
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.ShadowCameraManager
import org.robolectric.shadows.StreamConfigurationMapBuilder

/** The reference images of the shipped model, which stand for photos, and Python's outputs for them. */
object Reference {
    private val images = (Json.parse(File(System.getProperty("assets"), "digits.golden.json").readText()) as Map<*, *>)
        .let { it["pictures"] as List<*> }
        .map { it as Map<*, *> }

    /** Index of the digit with the least certain prediction, so that more than one bar is drawn. */
    const val UNCLEAR = 4

    val count: Int get() = images.size

    /** The shipped model's only output is uint8 with the scale 1 / 256. */
    fun scores(index: Int) = ((images[index]["outputs"] as List<*>).single() as String).chunked(2).map { it.toInt(16) / 256.0 }

    fun bitmap(index: Int): Bitmap {
        val argb = (images[index]["rgb"] as String).chunked(6).map { it.toInt(16) or (0xFF shl 24) }.toIntArray()
        val (width, height) = listOf("width", "height").map { (images[index][it] as Double).toInt() }
        return Bitmap.createBitmap(argb, width, height, Bitmap.Config.ARGB_8888)
    }

    /** Return the expected classes of the default settings, best first, with their scores. */
    fun expected(index: Int) = scores(index).mapIndexed { label, score -> "$label" to score }
        .filter { it.second >= 0.05 }.sortedByDescending { it.second }.take(3)
}

/** Notes on which threads the camera service is asked, and fails if told so. */
@Implements(CameraManager::class)
class WatchedCameraManager : ShadowCameraManager() {
    @Implementation
    override fun getCameraIdList(): Array<String> {
        threads += Thread.currentThread().name
        return super.getCameraIdList()
    }

    companion object {
        val threads: MutableList<String> = Collections.synchronizedList(ArrayList())
    }
}

/** The device and its cameras. */
object Device {
    private val manager get() = RuntimeEnvironment.getApplication().getSystemService(CameraManager::class.java)
    private val cameras get() = Shadow.extract<WatchedCameraManager>(manager)

    fun addCameras(vararg facings: Int) = facings.forEachIndexed { index, facing ->
        val properties = ShadowCameraCharacteristics.newCameraCharacteristics()
        val shadow = Shadow.extract<ShadowCameraCharacteristics>(properties)
        val sizes = StreamConfigurationMapBuilder.newBuilder().addOutputSize(ImageFormat.YUV_420_888, Size(640, 480)).build()
        shadow.set(CameraCharacteristics.LENS_FACING, facing)
        shadow.set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
        shadow.set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes)
        cameras.addCamera("$index", properties)
    }

    fun addBackCamera() = addCameras(CameraCharacteristics.LENS_FACING_BACK)

    fun loseCamera() = cameras.triggerDisconnect()

    fun allowCamera() = shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)

    fun denyCamera() = shadowOf(RuntimeEnvironment.getApplication()).denyPermissions(Manifest.permission.CAMERA)

    fun explainsPermission(yes: Boolean) = shadowOf(RuntimeEnvironment.getApplication().packageManager)
        .setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, yes)
}

/** Drives and reads the live screen. */
class Live(private val screens: Screens, val controller: ActivityController<LiveActivity> = Robolectric.buildActivity(LiveActivity::class.java).setup()) {
    val activity: LiveActivity get() = controller.get()
    val session: LiveSession get() = activity.onRetainNonConfigurationInstance() as LiveSession
    val state get() = session.state

    fun await(ready: (Live) -> Boolean) = also { screens.await({ "$state" }) { ready(this) } }

    fun awaitModel() = await { it.state.model != null }

    /** Give the preview a surface, as the view does when it is first drawn. */
    fun surface(): SurfaceTexture = SurfaceTexture(false).also {
        view<TextureView>(R.id.preview).surfaceTextureListener!!.onSurfaceTextureAvailable(it, 360, 480)
    }

    fun removeSurface(texture: SurfaceTexture) =
        view<TextureView>(R.id.preview).surfaceTextureListener!!.onSurfaceTextureDestroyed(texture)

    fun press(id: Int) = also { view<View>(id).performClick() }

    fun menu(id: Int) = activity.onOptionsItemSelected(RoboMenuItem(id))

    /** Answer the system's picker with a file, and return the request to it. */
    fun pick(file: ByteArray, name: String = "picked") = answer(Uri.parse("content://photos/$name").also {
        shadowOf(activity.contentResolver).registerInputStream(it, file.inputStream())
    })

    fun answer(uri: Uri): Intent {
        val request = shadowOf(activity).nextStartedActivityForResult
        shadowOf(activity).receiveResult(request.intent, Activity.RESULT_OK, Intent().setData(uri))
        return request.intent
    }

    fun pickPhoto(file: ByteArray) = also {
        press(R.id.photo)
        pick(file)
    }

    /** Pick a reference image and wait for the answer. */
    fun photo(index: Int) = pickPhoto(Screens.png(Reference.bitmap(index))).await { it.state.still != null && it.bars.predictions != null }

    /** Choose the last entry of the model dialog, and answer the picker with a file. */
    fun openFile(file: ByteArray, name: String) = also {
        chooseModel(-1)
        pick(file, name)
    }

    fun chooseModel(index: Int) {
        val before = screens.dialog()
        menu(R.id.model)
        await { screens.dialog() != null && screens.dialog() !== before }
        val list = screens.dialog()!!.listView
        shadowOf(list).performItemClick(if (index < 0) list.count + index else index)
    }

    fun turn(qualifiers: String) = also {
        RuntimeEnvironment.setQualifiers(qualifiers)
        controller.configurationChange().visible()
    }

    val bars: ScoreBars get() = view(R.id.bars)
    val labels get() = bars.predictions?.map { it.label }
    val notice get() = text(R.id.notice_text).takeIf { isShown(R.id.notice) }

    fun text(id: Int) = view<TextView>(id).text.toString()

    fun isShown(id: Int) = view<View>(id).isShown

    fun <T : View> view(id: Int): T = activity.findViewById(id)
}
