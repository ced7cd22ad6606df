package mobilenet.tf.tasks

import java.util.Locale
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.roundToLong
import mobilenet.tf.core.UserError

/** One class per image. Its only output is a score for each class. */
class Classification private constructor(private val labels: List<String>) : Task {
    constructor(file: Description) : this(List(file.classes(), file::label))

    override val averaged get() = true

    override fun decode(outputs: List<FloatArray>, request: Request): Decoded {
        val scores = outputs.single()
        val best = scores.indices.filter { scores[it] >= request.least }.largestFirst(scores)
        return Decoded(best.take(request.results).map { Prediction(labels[it], scores[it]) })
    }

    companion object {
        /** Return a classifier with other names for its classes. */
        internal fun of(file: Description, names: List<String>): Classification {
            val classes = file.classes()
            if (names.size != classes) throw UserError("The model has ${names.size} places for $classes classes.")
            return Classification(names)
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
