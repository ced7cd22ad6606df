package mobilenet.tf.engine

import kotlin.math.abs
import kotlin.math.ceil
import mobilenet.tf.core.ArgbPixels
import mobilenet.tf.core.Json
import mobilenet.tf.core.Unusable
import mobilenet.tf.core.Upright

/** Pictures, and the scores that Python gave; see `mobilenet-tf android`. */
class GoldenPictures private constructor(private val pictures: List<Pair<ArgbPixels, FloatArray>>) {
    val count: Int get() = pictures.size

    /** The largest difference of any score, in steps of the output (LSB). */
    fun differenceOf(classifier: Classifier): Double {
        // Integer files with float ends still count in 256 steps.
        val step = (classifier.output.scale ?: (1 / 256f)).toDouble()
        val preprocessor = classifier.preprocessor()
        return pictures.maxOf { (source, expected) ->
            val scores = classifier.classify(preprocessor.prepare(source, Upright(0)).pixels)
            if (scores.size != expected.size) throw Unusable("The scores to compare with are another model's.")
            scores.indices.maxOf { abs(scores[it] - expected[it]) / step }
        }
    }

    companion object {
        /** @throws Unusable if [json] is not what the command writes. */
        fun read(json: String): GoldenPictures = try {
            val entries = (Json.parse(json) as Map<*, *>)["pictures"] as List<*>
            require(entries.isNotEmpty())
            GoldenPictures(entries.map { picture(it as Map<*, *>) })
        } catch (error: RuntimeException) {
            throw Unusable("The scores to compare with are damaged; run mobilenet-tf android again.", error)
        }

        private fun picture(entry: Map<*, *>): Pair<ArgbPixels, FloatArray> {
            val hex = entry["rgb"] as String
            val argb = IntArray(hex.length / 6) { hex.substring(6 * it, 6 * it + 6).toInt(16) or (0xFF shl 24) }
            val width = (entry["width"] as Double).toInt()
            val height = (entry["height"] as Double).toInt()
            require(argb.size == width * height)
            val scores = (entry["scores"] as List<*>).map { (it as Double).toFloat() }
            return ArgbPixels(width, height, argb) to scores.toFloatArray()
        }
    }
}

/** Milliseconds of inference alone, on one thread of the caller's. */
class Timing(private val milliseconds: List<Double>) {
    val runs: Int get() = milliseconds.size
    val median: Double get() = quantile(0.5)
    val p90: Double get() = quantile(0.9)

    private fun quantile(share: Double): Double =
        milliseconds.sorted()[(ceil(share * runs).toInt() - 1).coerceAtLeast(0)]

    companion object {
        /** Measure after [warmup] runs that do not count. */
        fun of(classifier: Classifier, runs: Int, warmup: Int = runs / 5 + 1): Timing {
            val grey = ByteArray(classifier.input.count) { (it * 31).toByte() }
            repeat(warmup) { classifier.classify(grey) }
            return Timing(
                List(runs) {
                    val start = System.nanoTime()
                    classifier.classify(grey)
                    (System.nanoTime() - start) / 1e6
                },
            )
        }
    }
}

/** What the app writes for `mobilenet-tf benchmark --adb`. */
fun benchmarkJson(
    model: String,
    device: String,
    threads: Int,
    classifier: Classifier,
    timing: Timing,
    difference: Double?,
): String = Json.write(
    mapOf(
        "model" to model,
        "device" to device,
        "threads" to threads,
        "accelerator" to classifier.accelerator.name,
        "fallback" to classifier.fallback,
        "runs" to timing.runs,
        "median_ms" to timing.median,
        "p90_ms" to timing.p90,
        "difference_lsb" to difference,
    ),
)
