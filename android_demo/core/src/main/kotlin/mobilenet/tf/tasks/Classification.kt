package mobilenet.tf.tasks

import java.util.Locale
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.pow
import kotlin.math.roundToLong
import mobilenet.tf.core.UserError

/**
 * One class per image. Its only output is a score for each class, which the temperature in the file
 * changes if the scores are probabilities. A first class below the threshold means none of them.
 */
class Classification private constructor(file: Description, private val labels: List<String>) : Task {
    private val temperature = file.settings.number("temperature", 0.25..4.0, absent = 1.0)
    private val threshold = file.settings.number("threshold", 0.0..1.0, absent = 0.0)

    constructor(file: Description) : this(file, List(file.classes(), file::label))

    override val averaged get() = true

    override fun decode(outputs: List<FloatArray>, request: Request): Decoded {
        val scores = tempered(outputs.single())
        val best = scores.indices.filter { scores[it] >= request.least }.largestFirst(scores)
        val accepted = threshold == 0.0 || scores.any { it >= threshold }
        return Decoded(best.take(request.results).map { Prediction(labels[it], scores[it], accepted = accepted) })
    }

    private fun tempered(scores: FloatArray): FloatArray {
        if (temperature == 1.0 || scores.any { it < 0f || it > 1f }) return scores
        val largest = scores.max().takeIf { it > 0f } ?: return scores
        val powers = DoubleArray(scores.size) { (scores[it].toDouble() / largest).pow(1 / temperature) }
        val total = powers.sum()
        return FloatArray(scores.size) { (powers[it] / total).toFloat() }
    }

    companion object {
        /** Return a classifier with other names for its classes. */
        internal fun of(file: Description, names: List<String>): Classification {
            val classes = file.classes()
            if (names.size != classes) throw UserError("The model has ${names.size} places for $classes classes.")
            return Classification(file, names)
        }
    }
}

/** The place of an image: a classifier of cells, which are named by their centres and radii. */
fun geolocation(file: Description): Task = Classification.of(
    file,
    file.constants.rows("cells", 3).map { (latitude, longitude, radius) ->
        val place = "%.2f %s %.2f %s".format(
            Locale.ROOT, abs(latitude), if (latitude >= 0) "N" else "S", abs(longitude), if (longitude >= 0) "E" else "W",
        )
        "%s, %,d km around".format(Locale.ROOT, place, max(1, radius.roundToLong()))
    },
)
