package mobilenet.tf.engine

import kotlin.math.abs
import kotlin.math.ceil
import mobilenet.tf.core.ArgbPixels
import mobilenet.tf.core.Json
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.UserError

/** Reference images with the scores that Python computed, written by `mobilenet-tf android`. */
class GoldenImages private constructor(private val images: List<Pair<ArgbPixels, FloatArray>>) {
    val count: Int get() = images.size

    /** Return the largest difference of any score in LSB, the steps of the output. */
    fun largestDifference(classifier: Classifier): Double {
        // For integer models with float outputs, one LSB is 1 / 256.
        val step = (classifier.output.scale ?: (1 / 256f)).toDouble()
        val preprocessor = classifier.preprocessor()
        return images.maxOf { (source, expected) ->
            val scores = classifier.classify(preprocessor.prepare(source, Orientation(0)).pixels)
            if (scores.size != expected.size) throw UserError("The reference scores belong to another model.")
            scores.indices.maxOf { abs(scores[it] - expected[it]) / step }
        }
    }

    companion object {
        /** @throws UserError if [json] does not have the format that the command writes. */
        fun read(json: String): GoldenImages = try {
            val entries = (Json.parse(json) as Map<*, *>)["pictures"] as List<*>
            require(entries.isNotEmpty())
            GoldenImages(entries.map { image(it as Map<*, *>) })
        } catch (error: RuntimeException) {
            throw UserError("The file with the reference scores is damaged; run mobilenet-tf android again.", error)
        }

        private fun image(entry: Map<*, *>): Pair<ArgbPixels, FloatArray> {
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

/** Durations of single inferences in milliseconds, without preprocessing. */
class Timing(private val milliseconds: List<Double>) {
    val runs: Int get() = milliseconds.size
    val median: Double get() = quantile(0.5)
    val p90: Double get() = quantile(0.9)

    private fun quantile(fraction: Double): Double =
        milliseconds.sorted()[(ceil(fraction * runs).toInt() - 1).coerceAtLeast(0)]

    companion object {
        /**
         * Measure [runs] inferences after [warmup] unmeasured ones.
         *
         * @throws InterruptedException if the thread is interrupted.
         */
        fun of(classifier: Classifier, runs: Int, warmup: Int = runs / 5 + 1): Timing {
            val pixels = ByteArray(classifier.input.count) { (it * 31).toByte() }
            val times = List(warmup + runs) {
                if (Thread.interrupted()) throw InterruptedException("The benchmark was cancelled.")
                val start = System.nanoTime()
                classifier.classify(pixels)
                (System.nanoTime() - start) / 1e6
            }
            return Timing(times.drop(warmup))
        }
    }
}

/**
 * Return the content of `benchmark.json`, which `mobilenet-tf benchmark --adb` reads.
 *
 * @param difference largest difference from Python's scores in LSB; null without reference scores.
 */
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
