package mobilenet.tf.tasks

import kotlin.math.sqrt
import mobilenet.tf.core.UserError

/**
 * A vector per image, near those of the same class. Its only output is the vector, of any length; two
 * are compared by their cosine.
 *
 * @param gallery the images that are compared with; null if none is open.
 */
class Embedding(private val file: Description, private val gallery: Gallery? = null) : Task {
    private val dimension: Int
    private val threshold = file.settings.number("threshold", -1.0..1.0, absent = -1.0)

    init {
        val output = file.outputs.singleOrNull() ?: throw UserError("The model has ${file.outputs.size} outputs; an embedder has one.")
        dimension = output.count
        if (dimension < 1) throw UserError("The model's output is empty.")
        if (gallery != null && gallery.dimension != dimension) {
            throw UserError("The gallery has vectors of ${gallery.dimension} values; the model's have $dimension.")
        }
    }

    override val averaged get() = true

    override val compares get() = true

    override fun comparing(gallery: Gallery) = Embedding(file, gallery)

    /** The most similar names; those above the file's threshold are taken for the same. */
    override fun decode(outputs: List<FloatArray>, request: Request): Decoded {
        val known = gallery ?: return Decoded(emptyList(), NoAnswer.NO_GALLERY)
        val similar = known.similarities(unit(outputs.single())).take(request.results)
        return Decoded(similar.map { (name, cosine) -> Prediction(name, cosine.toFloat(), accepted = cosine > threshold) }, NoAnswer.NO_GALLERY)
    }

    companion object {
        /** Return a vector with length 1; one of length 0 stays. */
        fun unit(vector: FloatArray): FloatArray {
            val length = sqrt(vector.sumOf { it.toDouble() * it })
            return if (length == 0.0) vector else FloatArray(vector.size) { (vector[it] / length).toFloat() }
        }
    }
}
