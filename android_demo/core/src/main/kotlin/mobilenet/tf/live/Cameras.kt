package mobilenet.tf.live

/** Which way a camera looks, in the order in which the app offers them. */
enum class Facing { BACK, FRONT, EXTERNAL }

/**
 * A camera of the device.
 *
 * @property sensor clockwise degrees from the sensor's top to the device's natural top.
 * @property width of the frames, in the sensor's orientation.
 * @property height of the frames.
 */
data class CameraInfo(val id: String, val facing: Facing, val sensor: Int, val width: Int, val height: Int)

/** Return the first camera of each direction; phones list several back cameras. */
fun offered(cameras: List<CameraInfo>): List<CameraInfo> =
    Facing.values().mapNotNull { facing -> cameras.firstOrNull { it.facing == facing } }

/** Return the camera that looks into the wanted direction, or else the first; null if there is none. */
fun chosen(cameras: List<CameraInfo>, wanted: Facing): CameraInfo? =
    offered(cameras).let { all -> all.firstOrNull { it.facing == wanted } ?: all.firstOrNull() }

/** Return the direction after [current] that has a camera. */
fun nextFacing(cameras: List<CameraInfo>, current: Facing): Facing {
    val facings = offered(cameras).map { it.facing }
    return if (facings.isEmpty()) current else facings[(facings.indexOf(current) + 1) % facings.size]
}

/**
 * How a TextureView must be transformed about its centre, scale first, to show frames upright and
 * undistorted.
 *
 * A TextureView turns frames by the sensor's angle, but not by the rotation of the screen, and it
 * stretches them to its own size.
 *
 * @property degrees clockwise.
 */
data class PreviewFit(val scaleX: Float, val scaleY: Float, val degrees: Int) {
    companion object {
        /**
         * @param width of the view in pixels.
         * @param height of the view.
         * @param display rotation of the screen from its natural position, in degrees.
         */
        fun of(camera: CameraInfo, width: Int, height: Int, display: Int): PreviewFit {
            val (across, down) = swapped(camera.width, camera.height, camera.sensor)
            val (fitAcross, fitDown) = swapped(across, down, display)
            val scale = minOf(width.toFloat() / fitAcross, height.toFloat() / fitDown)
            return PreviewFit(across * scale / width, down * scale / height, Math.floorMod(-display, 360))
        }

        private fun swapped(width: Int, height: Int, degrees: Int) =
            if (degrees % 180 == 0) width to height else height to width
    }
}
