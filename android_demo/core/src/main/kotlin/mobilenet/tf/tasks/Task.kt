package mobilenet.tf.tasks

import mobilenet.tf.core.Box
import mobilenet.tf.core.Fields
import mobilenet.tf.core.ModelFile
import mobilenet.tf.core.TensorFormat
import mobilenet.tf.core.UserError

/**
 * What a model is for: what its outputs mean, and which of it is shown. Immutable, for use on any
 * thread.
 *
 * The counterpart of `mobilenet_tf/tasks`, whose definitions decide; the golden vectors in
 * `tests/tasks` belong to both.
 */
interface Task {
    /** Whether outputs for frames in succession may be averaged, so that the bars do not flicker. */
    val averaged: Boolean get() = false

    /** Whether images are compared with those of a gallery. */
    val compares: Boolean get() = false

    /** @param outputs real values of each output, in the order of the file. */
    fun decode(outputs: List<FloatArray>, request: Request): Decoded

    /** Return the task that compares with a gallery, which is the model's. */
    fun comparing(gallery: Gallery): Task = throw UserError("The model gives no vectors to compare with those of a gallery.")
}

/**
 * What is asked about an image.
 *
 * @property results number of lines that are shown.
 * @property least smallest score that is shown, where the file states none.
 * @property filled the part of the input that the image fills, in its pixels.
 */
class Request(val results: Int, val least: Float, val filled: Box)

/**
 * A line of the answer.
 *
 * @property score a share of 1.
 * @property colour 0xFFRRGGBB in which the same is drawn over the image; null for none.
 * @property accepted whether the score reaches the file's threshold, if there is one.
 */
data class Prediction(val label: String, val score: Float, val colour: Int? = null, val accepted: Boolean = true)

/** A box with a class; its edges are shares of the sides of the input, or of the image. */
data class FoundBox(
    val left: Float,
    val top: Float,
    val right: Float,
    val bottom: Float,
    val label: String,
    val score: Float,
    val colour: Int,
)

/** A colour for every pixel of the input, 0xAARRGGBB, row by row. */
class Mask(val width: Int, val height: Int, val argb: IntArray)

/** Why there are no predictions. */
enum class NoAnswer { BELOW_MINIMUM, NO_LABEL, NOTHING_FOUND, NO_GALLERY }

/** Sort indices by falling value. Of equal ones, among which 0 and -0 are, the first comes first. */
internal fun List<Int>.largestFirst(values: FloatArray): List<Int> = sortedByDescending { values[it] + 0f }

/** What a model says about one image. */
class Decoded(
    val predictions: List<Prediction>,
    val noAnswer: NoAnswer = NoAnswer.BELOW_MINIMUM,
    val boxes: List<FoundBox> = emptyList(),
    val mask: Mask? = null,
)

/**
 * A file, as far as tasks need it.
 *
 * @property settings of `[task]` in the run's configuration.
 * @property constants what decoding needs beyond them.
 */
class Description(
    val labels: List<String>?,
    val settings: Fields,
    val constants: Fields,
    val input: TensorFormat,
    val outputs: List<TensorFormat>,
) {
    constructor(file: ModelFile, input: TensorFormat, outputs: List<TensorFormat>) :
        this(file.labels, file.task, file.constants, input, outputs)

    fun label(index: Int): String = labels?.get(index) ?: index.toString()

    /** Return the size of the only output, which must be a vector with a label for each value if there are labels. */
    fun classes(): Int {
        val output = outputs.singleOrNull() ?: throw UserError("The model has ${outputs.size} outputs; its task has one.")
        checkLabels(output.count)
        return output.count
    }

    fun checkLabels(classes: Int) {
        if (classes < 1) throw UserError("The model's output is empty.")
        if (labels != null && labels.size != classes) throw UserError("The model has ${labels.size} labels for $classes classes.")
    }
}
