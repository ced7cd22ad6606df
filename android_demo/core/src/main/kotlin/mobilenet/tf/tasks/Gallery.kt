package mobilenet.tf.tasks

import kotlin.math.abs
import kotlin.math.sqrt
import mobilenet.tf.core.Fields
import mobilenet.tf.core.Json
import mobilenet.tf.core.UserError

/**
 * Names with the vectors of some of their images, as `mobilenet-tf enroll` writes them.
 *
 * @property model SHA-256 of the file that made the vectors, hexadecimal: those of two models cannot
 *   be compared.
 * @property dimension length of the vectors.
 */
class Gallery private constructor(val model: String, val dimension: Int, private val entries: List<Pair<String, FloatArray>>) {
    val names: List<String> get() = entries.map { it.first }.distinct().sorted()

    /** Return, per name, the cosine with the most similar image of it; the highest first. */
    fun similarities(unit: FloatArray): List<Pair<String, Double>> {
        val found = LinkedHashMap<String, Double>()
        for ((name, vector) in entries) {
            var cosine = 0.0
            for (at in vector.indices) cosine += vector[at].toDouble() * unit[at]
            found[name] = maxOf(cosine, found[name] ?: -1.0)
        }
        return found.toList().sortedByDescending { it.second }
    }

    companion object {
        private const val MOST = 10_000
        private const val LARGEST_DIMENSION = 4096
        private const val TOLERANCE = 1e-2

        /** @throws UserError if the text is not a gallery. */
        fun read(text: String): Gallery {
            val content = try {
                Json.parse(text)
            } catch (error: RuntimeException) {
                throw UserError("The file is neither a model nor a gallery.", error)
            }
            val fields = Fields("The gallery", content)
            if (fields.text("kind") != "gallery") throw UserError("The file is neither a model nor a gallery.")
            val model = fields.text("model").orEmpty()
            val dimension = fields.whole("dimension", 1..LARGEST_DIMENSION)
            val entries = fields.list("entries")
            if (!Regex("[0-9a-f]{64}").matches(model) || entries.size !in 1..MOST) {
                throw UserError("The gallery is damaged; it must name its model and have 1 to $MOST entries.")
            }
            return Gallery(model, dimension, entries.map { entry(it, dimension) })
        }

        private fun entry(content: Any?, dimension: Int): Pair<String, FloatArray> {
            val fields = Fields("The gallery's entry", content)
            val name = fields.text("name")
            val vector = fields.list("vector").map { (it as? Double ?: Double.NaN).toFloat() }.toFloatArray()
            val length = sqrt(vector.sumOf { it.toDouble() * it })
            if (name.isNullOrBlank() || vector.size != dimension || !(abs(length - 1) <= TOLERANCE)) {
                throw UserError("The gallery has an entry without a name, or whose vector does not have $dimension values and length 1.")
            }
            return name to vector
        }
    }
}
