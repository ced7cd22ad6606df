package mobilenet.tf.demo

import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import kotlin.math.abs
import mobilenet.tf.core.Orientation
import mobilenet.tf.live.CameraEvents
import mobilenet.tf.live.CameraInfo
import mobilenet.tf.live.CameraLink
import mobilenet.tf.live.CameraMachine
import mobilenet.tf.live.CameraState
import mobilenet.tf.live.CopiedFrame
import mobilenet.tf.live.Facing
import mobilenet.tf.live.FrameCopies
import mobilenet.tf.live.chosen
import mobilenet.tf.live.nextFacing

/** Receives the camera's changes on the main thread. */
interface CameraListener {
    /** Called once, before all others. Listing cameras needs no permission. */
    fun onCamerasListed(any: Boolean)

    fun onCameraState(state: CameraState)

    /** @param next direction of the camera to switch to, which is [camera]'s own if there is only one. */
    fun onCameraChosen(camera: CameraInfo, next: Facing)
}

/**
 * The device's cameras, on a thread of their own, which alone talks to the camera service. The
 * functions return at once and may be called on the main thread.
 *
 * @param onFrame called on the camera's thread with a copy of each frame.
 */
class CameraThread(context: Context, private val onFrame: (CopiedFrame) -> Unit, private val listener: CameraListener) {
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private val main = Handler(Looper.getMainLooper())
    private val manager = context.getSystemService(CameraManager::class.java)
    private val machine = CameraMachine(::connect) { state -> main.post { listener.onCameraState(state) } }
    private val copies = FrameCopies()
    private var texture: SurfaceTexture? = null
    private var facing = Facing.BACK
    private val availability = object : CameraManager.AvailabilityCallback() {
        override fun onCameraAvailable(id: String) = machine.available()
    }

    /** Rotation of the screen from its natural position, in degrees. */
    @Volatile var display = 0

    init {
        handler.post {
            manager.registerAvailabilityCallback(availability, handler)
            val any = runCatching { list().isNotEmpty() }.getOrDefault(true)
            main.post { listener.onCamerasListed(any) }
        }
    }

    /** Open the camera of a direction, or another one if there is none. */
    fun start(texture: SurfaceTexture, facing: Facing) {
        handler.post {
            this.texture = texture
            this.facing = facing
            machine.start()
        }
    }

    fun stop() {
        handler.post { machine.stop() }
    }

    /** Release a preview's texture, which must not be given to [start] again, after the camera has left it. */
    fun release(texture: SurfaceTexture) {
        val posted = handler.post {
            if (this.texture === texture) {
                machine.stop()
                this.texture = null
            }
            texture.release()
        }
        // The thread has ended, so the camera is closed: a view outlives its screen.
        if (!posted) texture.release()
    }

    /** Close the camera and end the thread. */
    fun close() {
        handler.post {
            machine.stop()
            manager.unregisterAvailabilityCallback(availability)
            // Not earlier: a camera that is still being opened answers on this thread, which closes it.
            thread.quitSafely()
        }
    }

    private fun connect(events: CameraEvents): CameraLink? {
        val cameras = list()
        val camera = chosen(cameras, facing) ?: return null
        val next = nextFacing(cameras, camera.facing)
        main.post { listener.onCameraChosen(camera, next) }
        return Camera2Link(manager, handler, camera, texture!!, events) { frame ->
            val orientation = Orientation.fromCamera(camera.sensor, display, camera.facing == Facing.FRONT)
            onFrame(copies.copy(frame, orientation))
        }
    }

    private fun list(): List<CameraInfo> =
        manager.cameraIdList.mapNotNull { id -> describe(id, manager.getCameraCharacteristics(id)) }

    /** Return null for a camera without images, such as a depth sensor. */
    private fun describe(id: String, properties: CameraCharacteristics): CameraInfo? {
        // More pixels cost time and do not improve predictions.
        val size = properties.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            ?.getOutputSizes(ImageFormat.YUV_420_888)
            ?.minByOrNull { abs(it.width - 640) + abs(it.height - 480) } ?: return null
        val facing = when (properties.get(CameraCharacteristics.LENS_FACING)) {
            CameraCharacteristics.LENS_FACING_BACK -> Facing.BACK
            CameraCharacteristics.LENS_FACING_FRONT -> Facing.FRONT
            else -> Facing.EXTERNAL
        }
        return CameraInfo(id, facing, properties.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0, size.width, size.height)
    }
}
