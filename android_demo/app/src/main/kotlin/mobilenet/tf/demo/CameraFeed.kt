package mobilenet.tf.demo

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.util.Size
import android.view.Surface
import kotlin.math.abs
import mobilenet.tf.core.Plane
import mobilenet.tf.core.YuvFrame

/** The camera: frames to a preview and, as YUV, to whoever asks for the newest. */
class CameraFeed(context: Context, private val handler: Handler, private val onLost: () -> Unit) {
    private val manager = context.getSystemService(CameraManager::class.java)
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null
    private var closed = false

    private val chosen: Pair<String, CameraCharacteristics>? = try {
        manager.cameraIdList.map { it to manager.getCameraCharacteristics(it) }
            .minByOrNull { (_, facts) -> if (facing(facts) == CameraCharacteristics.LENS_FACING_BACK) 0 else 1 }
    } catch (error: CameraAccessException) {
        null
    } catch (error: IllegalArgumentException) {
        // Unplugged between the two calls.
        null
    }

    /** The camera in use: the back one where there is one. Null: none at all. */
    val id: String? = chosen?.first

    /** Clockwise degrees from the sensor's top to the device's natural top. */
    val sensor: Int = chosen?.second?.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0

    val front: Boolean = chosen?.let { facing(it.second) } == CameraCharacteristics.LENS_FACING_FRONT

    /** Of the frames, as the sensor has them. */
    val size: Size = chosen?.let { chooseSize(it.second) } ?: Size(640, 480)

    /**
     * Start; the permission must have been given.
     *
     * @param onFrame on the handler's thread; the image is closed afterwards.
     */
    @SuppressLint("MissingPermission")
    fun open(texture: SurfaceTexture, onFrame: (Image) -> Unit) {
        val camera = id ?: return
        texture.setDefaultBufferSize(size.width, size.height)
        val images = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, 2)
        // The newest; what came before it is dropped.
        images.setOnImageAvailableListener({ it.acquireLatestImage()?.use(onFrame) }, handler)
        reader = images
        try {
            manager.openCamera(camera, Opened(Surface(texture), images.surface), handler)
        } catch (error: CameraAccessException) {
            onLost()
        } catch (error: SecurityException) {
            onLost()
        } catch (error: IllegalArgumentException) {
            onLost()
        }
    }

    /** May be called twice. */
    fun close() {
        handler.post {
            closed = true
            device?.close()
            device = null
            reader?.close()
            reader = null
        }
    }

    private inner class Opened(private val preview: Surface, private val analysis: Surface) : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            if (closed) return camera.close()
            device = camera
            try {
                // The successor of this call came with API 28.
                @Suppress("DEPRECATION")
                camera.createCaptureSession(listOf(preview, analysis), Session(camera), handler)
            } catch (error: CameraAccessException) {
                onLost()
            }
        }

        override fun onDisconnected(camera: CameraDevice) = lost(camera)

        override fun onError(camera: CameraDevice, error: Int) = lost(camera)

        private fun lost(camera: CameraDevice) {
            camera.close()
            device = null
            onLost()
        }

        private inner class Session(private val camera: CameraDevice) : CameraCaptureSession.StateCallback() {
            override fun onConfigured(session: CameraCaptureSession) {
                try {
                    val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                    request.addTarget(preview)
                    request.addTarget(analysis)
                    request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
                    session.setRepeatingRequest(request.build(), null, handler)
                } catch (error: CameraAccessException) {
                    onLost()
                } catch (error: IllegalStateException) {
                    // Closed meanwhile, by the user leaving.
                    if (!closed) onLost()
                }
            }

            override fun onConfigureFailed(session: CameraCaptureSession) = onLost()
        }
    }

    private fun facing(facts: CameraCharacteristics): Int? = facts.get(CameraCharacteristics.LENS_FACING)

    /** Near 640 x 480: more pixels cost time and tell the network nothing. */
    private fun chooseSize(facts: CameraCharacteristics): Size? =
        facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            ?.getOutputSizes(ImageFormat.YUV_420_888)
            ?.minByOrNull { abs(it.width - 640) + abs(it.height - 480) }
}

/** A camera's image as the core reads it. */
fun Image.toFrame(): YuvFrame {
    val (y, u, v) = planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) }
    return YuvFrame(width, height, y, u, v)
}
