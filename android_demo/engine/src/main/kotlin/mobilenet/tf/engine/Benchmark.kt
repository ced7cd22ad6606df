package mobilenet.tf.engine

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.ceil
import mobilenet.tf.core.ArgbPixels
import mobilenet.tf.core.Json
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.TensorFormat
import mobilenet.tf.core.UserError

/** Reference images with the outputs that Python computed, written by `mobilenet-tf android`. */
class GoldenImages private constructor(private val images: List<Pair<ArgbPixels, List<ByteArray>>>) {
    val count: Int get() = images.size

    /** Return the largest difference of any value in LSB, the steps of its output. */
    fun largestDifference(model: ImageModel): Double {
        val preprocessor = model.preprocessor()
        return images.maxOf { (source, expected) ->
            val found = model.run(preprocessor.prepare(source, Orientation(0)).pixels)
            if (expected.map { it.size } != model.outputs.map { it.count * it.type.bytes }) {
                throw UserError("The reference outputs belong to another model.")
            }
            found.indices.maxOf { difference(model.outputs[it], found[it], expected[it]) }
        }
    }

    private fun difference(format: TensorFormat, found: FloatArray, expected: ByteArray): Double {
        // For integer models with float outputs, one LSB is 1 / 256.
        val step = (format.scale ?: (1 / 256f)).toDouble()
        val values = format.dequantize(ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN))
        return found.indices.maxOf { abs(found[it] - values[it]) / step }
    }

    companion object {
        /** @throws UserError if [json] does not have the format that the command writes. */
        fun read(json: String): GoldenImages = try {
            val entries = (Json.parse(json) as Map<*, *>)["pictures"] as List<*>
            require(entries.isNotEmpty())
            GoldenImages(entries.map { image(it as Map<*, *>) })
        } catch (error: RuntimeException) {
            throw UserError("The file with the reference outputs is damaged; run mobilenet-tf android again.", error)
        }

        private fun image(entry: Map<*, *>): Pair<ArgbPixels, List<ByteArray>> {
            val rgb = bytes(entry["rgb"])
            val width = (entry["width"] as Double).toInt()
            val height = (entry["height"] as Double).toInt()
            require(rgb.size == 3 * width * height)
            val argb = IntArray(width * height) { pixel -> (0..2).fold(0xFF) { argb, channel -> argb shl 8 or (rgb[3 * pixel + channel].toInt() and 0xFF) } }
            return ArgbPixels(width, height, argb) to (entry["outputs"] as List<*>).map { bytes(it) }
        }

        private fun bytes(text: Any?): ByteArray {
            val hex = text as String
            return ByteArray(hex.length / 2) { hex.substring(2 * it, 2 * it + 2).toInt(16).toByte() }
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
        fun of(model: ImageModel, runs: Int, warmup: Int = runs / 5 + 1): Timing {
            val pixels = ByteArray(model.input.count) { (it * 31).toByte() }
            val times = List(warmup + runs) {
                if (Thread.interrupted()) throw InterruptedException("The benchmark was cancelled.")
                val start = System.nanoTime()
                model.run(pixels)
                (System.nanoTime() - start) / 1e6
            }
            return Timing(times.drop(warmup))
        }
    }
}

/**
 * Return the content of `benchmark.json`, which `mobilenet-tf benchmark --adb` reads.
 *
 * @param difference largest difference from Python's outputs in LSB; null without reference outputs.
 */
fun benchmarkJson(
    name: String,
    device: String,
    threads: Int,
    model: ImageModel,
    timing: Timing,
    difference: Double?,
): String = Json.write(
    mapOf(
        "model" to name,
        "device" to device,
        "threads" to threads,
        "accelerator" to model.accelerator.name,
        "fallback" to model.fallback,
        "runs" to timing.runs,
        "median_ms" to timing.median,
        "p90_ms" to timing.p90,
        "difference_lsb" to difference,
    ),
)
