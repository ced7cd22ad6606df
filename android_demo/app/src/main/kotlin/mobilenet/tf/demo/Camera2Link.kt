package mobilenet.tf.demo

import android.annotation.SuppressLint
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.view.Surface
import mobilenet.tf.core.Plane
import mobilenet.tf.core.YuvFrame
import mobilenet.tf.live.CameraEvents
import mobilenet.tf.live.CameraInfo
import mobilenet.tf.live.CameraLink

/**
 * One attempt to use a camera. It sends frames to a preview and to [onFrame].
 *
 * Everything happens on [handler]'s thread. It owns the surfaces, so none is released while the camera
 * may still use it.
 *
 * @param onFrame called with each frame, which is only valid during the call.
 */
class Camera2Link(
    private val manager: CameraManager,
    private val handler: Handler,
    private val camera: CameraInfo,
    texture: SurfaceTexture,
    private val events: CameraEvents,
    private val onFrame: (YuvFrame) -> Unit,
) : CameraLink {
    private val preview = Surface(texture.apply { setDefaultBufferSize(camera.width, camera.height) })
    private val reader = ImageReader.newInstance(camera.width, camera.height, ImageFormat.YUV_420_888, 2)
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var closed = false

    @SuppressLint("MissingPermission") // Without it, this throws, and the camera counts as lost.
    override fun open() {
        reader.setOnImageAvailableListener(::read, handler)
        manager.openCamera(camera.id, DeviceEvents(), handler)
    }

    @Suppress("DEPRECATION") // The replacement requires API 28.
    override fun configure() = device!!.createCaptureSession(listOf(preview, reader.surface), SessionEvents(), handler)

    override fun start() {
        val request = device!!.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
        request.addTarget(preview)
        request.addTarget(reader.surface)
        request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
        session!!.setRepeatingRequest(request.build(), null, handler)
    }

    override fun close() {
        closed = true
        try {
            device?.close()
        } finally {
            reader.close()
            preview.release()
        }
    }

    private fun read(reader: ImageReader) {
        if (closed) return
        try {
            reader.acquireNextImage()?.use { onFrame(it.toFrame()) }
        } catch (error: RuntimeException) {
            // The camera took the frame back, or gave one that it had not announced.
            events.lost()
        }
    }

    private inner class DeviceEvents : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            if (closed) return camera.close()
            device = camera
            events.opened()
        }

        override fun onDisconnected(camera: CameraDevice) = failed(camera)

        override fun onError(camera: CameraDevice, error: Int) = failed(camera)

        private fun failed(camera: CameraDevice) {
            camera.close()
            events.lost()
        }
    }

    private inner class SessionEvents : CameraCaptureSession.StateCallback() {
        override fun onConfigured(configured: CameraCaptureSession) {
            session = configured
            events.configured()
        }

        override fun onConfigureFailed(failed: CameraCaptureSession) = events.lost()
    }
}

private fun Image.toFrame(): YuvFrame {
    val (y, u, v) = planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) }
    return YuvFrame(width, height, y, u, v)
}
