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

/**
 * The device's camera. It sends frames to a preview surface and, as YUV, to a callback.
 *
 * @param onLost called when the camera is disconnected or fails.
 */
class CameraFeed(context: Context, private val handler: Handler, private val onLost: () -> Unit) {
    private val manager = context.getSystemService(CameraManager::class.java)
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null
    private var closed = false

    private val selected: Pair<String, CameraCharacteristics>? = try {
        manager.cameraIdList.map { it to manager.getCameraCharacteristics(it) }
            .minByOrNull { (_, properties) -> if (facing(properties) == CameraCharacteristics.LENS_FACING_BACK) 0 else 1 }
    } catch (error: CameraAccessException) {
        null
    } catch (error: IllegalArgumentException) {
        // The camera was unplugged between the two calls.
        null
    }

    /** ID of the selected camera, a back camera if there is one. Null if the device has no camera. */
    val id: String? = selected?.first

    /** Clockwise degrees from the sensor's top to the device's natural top. */
    val sensor: Int = selected?.second?.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0

    /** Whether the camera faces the user. */
    val front: Boolean = selected?.let { facing(it.second) } == CameraCharacteristics.LENS_FACING_FRONT

    /** Size of the frames in the sensor's orientation. */
    val size: Size = selected?.let { chooseSize(it.second) } ?: Size(640, 480)

    /**
     * Open the camera. The app must have the camera permission.
     *
     * @param texture surface texture of the preview.
     * @param onFrame called on the handler's thread with each frame, which is closed afterwards.
     */
    @SuppressLint("MissingPermission")
    fun open(texture: SurfaceTexture, onFrame: (Image) -> Unit) {
        val camera = id ?: return
        texture.setDefaultBufferSize(size.width, size.height)
        val images = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, 2)
        // Only the newest frame is delivered; older ones are dropped.
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

    /** Close the camera. Calling it twice is allowed. */
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
                // The replacement for this call requires API 28.
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
                    // The user may have left the screen, which closes the camera.
                    if (!closed) onLost()
                }
            }

            override fun onConfigureFailed(session: CameraCaptureSession) = onLost()
        }
    }

    private fun facing(properties: CameraCharacteristics): Int? = properties.get(CameraCharacteristics.LENS_FACING)

    /** Return the size closest to 640 x 480. More pixels cost time and do not improve predictions. */
    private fun chooseSize(properties: CameraCharacteristics): Size? =
        properties.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            ?.getOutputSizes(ImageFormat.YUV_420_888)
            ?.minByOrNull { abs(it.width - 640) + abs(it.height - 480) }
}

/** Convert a camera image to the type that the core module reads. */
fun Image.toFrame(): YuvFrame {
    val (y, u, v) = planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) }
    return YuvFrame(width, height, y, u, v)
}
