package mobilenet.tf.core

import java.io.File
import javax.imageio.ImageIO

/** Test cases written by vectors.py: source images and the expected input pixels of the network. */
class Golden(private val folder: File) {
    private val expected = File(folder, "expected.bin").readBytes()

    class Case(private val fields: Map<*, *>, val source: String, val isFrame: Boolean, val expected: ByteArray) {
        private val size = number("size")
        private val channels = number("channels")
        private val crop = fields["crop"] as Double
        private val fit = Fit.valueOf((fields["fit"] as String).uppercase())

        private val filter = Filter.valueOf((fields["resize"] as String).uppercase())

        fun preprocessor() = Preprocessor(size, size, channels, fit, crop, filter)

        fun number(name: String): Int = (fields[name] as Double).toInt()

        override fun toString() = fields.toString()
    }

    val cases: List<Case> = (Json.parse(File(folder, "cases.json").readText()) as List<*>).map { entry ->
        val fields = entry as Map<*, *>
        fun number(name: String) = (fields[name] as Double).toInt()
        val at = number("at")
        val pixels = expected.copyOfRange(at, at + number("size") * number("size") * number("channels"))
        val frame = fields["frame"] as String?
        Case(fields, frame ?: fields["photo"] as String, frame != null, pixels)
    }

    fun photo(name: String): ArgbPixels {
        val image = ImageIO.read(File(folder, "$name.png"))
        return ArgbPixels(image.width, image.height, image.getRGB(0, 0, image.width, image.height, null, 0, image.width))
    }

    fun planes(name: String): ByteArray = File(folder, "$name.yuv").readBytes()

    companion object {
        val committed = Golden(File(Golden::class.java.getResource("/golden")!!.toURI()))

        /** Cases from real photos. `make test-android` writes them if the shared dataset is available. */
        val photos: Golden? = File(System.getProperty("parity") ?: "none", "photos")
            .takeIf { File(it, "cases.json").exists() }?.let { Golden(it) }
    }
}
