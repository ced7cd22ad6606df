package mobilenet.tf.tasks

import kotlin.math.ln
import kotlin.math.ln1p
import kotlin.math.tanh
import mobilenet.tf.core.UserError

/**
 * Several labels per image. Its only output is a logit for each label; the sigmoid of one is the
 * probability of its label.
 */
class MultiLabel(private val file: Description) : Task {
    private val thresholds: DoubleArray

    init {
        val labels = file.classes()
        val stated = file.settings.list("thresholds").map { it as? Double }
        if (stated.isNotEmpty() && stated.size != labels) throw UserError("The model has ${stated.size} thresholds for $labels labels.")
        if (stated.any { it == null || it <= 0 || it >= 1 }) throw UserError("The model has a threshold that is not between 0 and 1.")
        thresholds = DoubleArray(labels) { logit(stated.getOrNull(it) ?: NEUTRAL) }
    }

    override val averaged get() = true

    /** Labels that reach their thresholds come first, then others, each from the likeliest on. */
    override fun decode(outputs: List<FloatArray>, request: Request): Decoded {
        val logits = outputs.single()
        val found = logits.indices.toList().largestFirst(logits)
            .map { Prediction(file.label(it), sigmoid(logits[it].toDouble()).toFloat(), accepted = logits[it] >= thresholds[it]) }
            .filter { it.accepted || it.score >= request.least }
            .sortedByDescending { it.accepted }
        return Decoded(found.take(request.results), NoAnswer.NO_LABEL)
    }

    private companion object {
        const val NEUTRAL = 0.5

        fun logit(probability: Double) = ln(probability) - ln1p(-probability)
    }
}

/** Return 1 / (1 + exp(-x)), which no logit overflows. */
internal fun sigmoid(logit: Double): Double = 0.5 * (1 + tanh(0.5 * logit))
