package mobilenet.tf.core

/**
 * How stored pixels are read to see the picture upright: mirrored first, then turned.
 *
 * Nothing is copied: [column] and [row] tell where an upright pixel lies in what is stored, so
 * a camera frame is never rotated as a whole.
 *
 * @property degrees clockwise: 0, 90, 180 or 270.
 * @property mirrored left and right are swapped before turning.
 */
data class Upright(val degrees: Int, val mirrored: Boolean = false) {
    init {
        require(degrees in listOf(0, 90, 180, 270)) { "A picture cannot be turned by $degrees degrees." }
    }

    /** Whether width and height change places. */
    val sideways: Boolean get() = degrees % 180 != 0

    /** The stored column of the upright pixel (x, y), in a stored picture of [width] x [height]. */
    fun column(x: Int, y: Int, width: Int, height: Int): Int {
        val turned = when (degrees) {
            0 -> x
            90 -> y
            180 -> width - 1 - x
            else -> width - 1 - y
        }
        return if (mirrored) width - 1 - turned else turned
    }

    /** The stored row of the upright pixel (x, y). */
    fun row(x: Int, y: Int, width: Int, height: Int): Int = when (degrees) {
        0 -> y
        90 -> height - 1 - x
        180 -> height - 1 - y
        else -> x
    }

    companion object {
        /** By an EXIF orientation, 1 to 8; anything else says nothing of which side is up. */
        fun ofExif(orientation: Int): Upright = when (orientation) {
            2 -> Upright(0, mirrored = true)
            3 -> Upright(180)
            4 -> Upright(180, mirrored = true)
            5 -> Upright(270, mirrored = true)
            6 -> Upright(90)
            7 -> Upright(90, mirrored = true)
            8 -> Upright(270)
            else -> Upright(0)
        }

        /**
         * For a camera frame: the sensor is screwed in at an angle of its own, and the screen may be
         * turned as well; both count.
         *
         * @param sensor clockwise degrees from the sensor's top to the device's natural top.
         * @param display degrees by which the screen is turned from its natural position.
         * @param front a camera that faces the user turns the other way.
         */
        fun ofCamera(sensor: Int, display: Int, front: Boolean): Upright {
            val turned = if (front) sensor + display else sensor - display
            return Upright(Math.floorMod(turned, 360))
        }
    }
}
