package mobilenet.tf.core

/**
 * Eight-bit pixels, row by row, the channels of a pixel side by side.
 *
 * @property channels 3 (RGB) or 1 (grey).
 */
class Picture(val width: Int, val height: Int, val channels: Int, val pixels: ByteArray) {
    init {
        require(width > 0 && height > 0 && pixels.size == width * height * channels) {
            "${pixels.size} bytes cannot be a picture of $width x $height x $channels."
        }
    }

    /** Grey by the weights of ITU-R 601 in integers, as Pillow's mode L. */
    fun toGrey(): Picture {
        if (channels == 1) return this
        val grey = ByteArray(width * height)
        var from = 0
        for (at in grey.indices) {
            val red = pixels[from++].toInt() and 0xFF
            val green = pixels[from++].toInt() and 0xFF
            val blue = pixels[from++].toInt() and 0xFF
            grey[at] = ((19595 * red + 38470 * green + 7471 * blue + 32768) shr 16).toByte()
        }
        return Picture(width, height, 1, grey)
    }
}
