package mobilenet.tf.core

/**
 * An image of 8-bit pixels, stored row by row with interleaved channels.
 *
 * @property channels 3 (RGB) or 1 (grey).
 */
class ByteImage(val width: Int, val height: Int, val channels: Int, val pixels: ByteArray) {
    init {
        require(width > 0 && height > 0 && pixels.size == width * height * channels) {
            "${pixels.size} bytes do not fit an image of $width x $height x $channels."
        }
    }

    /** Convert to grey with the integer ITU-R 601 weights of Pillow's mode L. */
    fun toGrey(): ByteImage {
        if (channels == 1) return this
        val grey = ByteArray(width * height)
        var from = 0
        for (at in grey.indices) {
            val red = pixels[from++].toInt() and 0xFF
            val green = pixels[from++].toInt() and 0xFF
            val blue = pixels[from++].toInt() and 0xFF
            grey[at] = ((19595 * red + 38470 * green + 7471 * blue + 32768) shr 16).toByte()
        }
        return ByteImage(width, height, 1, grey)
    }
}
