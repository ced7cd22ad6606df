package mobilenet.tf.core

/**
 * How a stored image must be transformed to be upright: mirror first, then rotate.
 *
 * No pixels are copied. [column] and [row] map an upright pixel to its stored position, so a camera
 * frame is never rotated as a whole.
 *
 * @property degrees clockwise rotation: 0, 90, 180 or 270.
 * @property mirrored whether left and right are swapped before the rotation.
 */
data class Orientation(val degrees: Int, val mirrored: Boolean = false) {
    init {
        require(degrees in listOf(0, 90, 180, 270)) {
            "degrees is $degrees; 0, 90, 180 and 270 are accepted."
        }
    }

    /** Whether the rotation swaps width and height. */
    val swapsSides: Boolean get() = degrees % 180 != 0

    /** Return width and height of the upright image; [width] x [height] is the stored size. */
    fun upright(width: Int, height: Int): Pair<Int, Int> = if (swapsSides) height to width else width to height

    /** Return the stored column of the upright pixel (x, y); [width] x [height] is the stored size. */
    fun column(x: Int, y: Int, width: Int, height: Int): Int {
        val column = when (degrees) {
            0 -> x
            90 -> y
            180 -> width - 1 - x
            else -> width - 1 - y
        }
        return if (mirrored) width - 1 - column else column
    }

    /** Return the stored row of the upright pixel (x, y); [width] x [height] is the stored size. */
    fun row(x: Int, y: Int, width: Int, height: Int): Int = when (degrees) {
        0 -> y
        90 -> height - 1 - x
        180 -> height - 1 - y
        else -> x
    }

    companion object {
        /** Return the transformation for an EXIF orientation, 1 to 8. Other values mean "as stored". */
        fun fromExif(orientation: Int): Orientation = when (orientation) {
            2 -> Orientation(0, mirrored = true)
            3 -> Orientation(180)
            4 -> Orientation(180, mirrored = true)
            5 -> Orientation(270, mirrored = true)
            6 -> Orientation(90)
            7 -> Orientation(90, mirrored = true)
            8 -> Orientation(270)
            else -> Orientation(0)
        }

        /**
         * Return the transformation for a camera frame, which depends on how the sensor is mounted and
         * on how the screen is rotated.
         *
         * @param sensor clockwise degrees from the sensor's top to the device's natural top.
         * @param display rotation of the screen from its natural position, in degrees.
         * @param front whether the camera faces the user; its frames rotate in the opposite direction.
         */
        fun fromCamera(sensor: Int, display: Int, front: Boolean): Orientation {
            val rotation = if (front) sensor + display else sensor - display
            return Orientation(Math.floorMod(rotation, 360))
        }
    }
}
