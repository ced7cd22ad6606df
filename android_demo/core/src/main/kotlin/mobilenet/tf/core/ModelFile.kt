package mobilenet.tf.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Metadata of a `.tflite` file. Values that the file does not contain are null.
 *
 * @property name name of the model.
 * @property mean one value per channel, or one for all; input = (pixel - mean) / std.
 * @property std one value per channel, or one for all.
 * @property crop side of the centre crop as a fraction of the image's shorter side. Files written by
 *   this project contain it.
 * @property labels class labels in the order of the output.
 * @property runtime oldest runtime version that has all operators of the model, such as "1.14.0".
 */
class ModelFile private constructor(
    val name: String?,
    val mean: FloatArray?,
    val std: FloatArray?,
    val crop: Double?,
    val labels: List<String>?,
    val runtime: String?,
) {
    companion object {
        private const val MODEL_IDENTIFIER = "TFL3"
        private const val METADATA_IDENTIFIER = "M001"
        private const val NORMALIZATION = 1
        private val LABEL_TYPES = listOf(2, 3)

        /** A field of preprocessing.json, the one value that this app can do, and training's other values. */
        private val PREPARATION = listOf(
            Triple("fit", "crop", listOf("stretch", "pad")),
            Triple("resize", "bilinear", listOf("nearest", "box", "bicubic", "lanczos")),
        )

        /**
         * Read the standard TFLite metadata and the files that are appended to the model.
         *
         * @throws UserError if the file is not a `.tflite` model, is truncated or damaged, or has metadata
         *   with which no image can be prepared.
         */
        fun read(content: ByteBuffer): ModelFile {
            val data = content.duplicate().order(ByteOrder.LITTLE_ENDIAN)
            if (identifier(data) != MODEL_IDENTIFIER) throw UserError("The file is not a .tflite model.")
            try {
                return parse(data)
            } catch (error: UserError) {
                throw error
            } catch (error: RuntimeException) {
                // Damaged offsets can point anywhere and fail in many ways.
                throw UserError("The model is truncated or damaged; copy or export it again.", error)
            }
        }

        private fun identifier(data: ByteBuffer): String? =
            if (data.limit() < 8) null else String(ByteArray(4) { data.get(4 + it) }, Charsets.US_ASCII)

        private fun parse(data: ByteBuffer): ModelFile {
            val model = FlatbufferTable.root(data)
            val buffers = model.tables(4)
            val metadataByName = model.tables(6).associate { it.string(0) to (buffers[it.int(1) ?: 0].bytes(0) ?: ByteArray(0)) }
            val runtime = metadataByName["min_runtime_version"]?.toString(Charsets.US_ASCII)?.trimEnd('\u0000')
            val metadata = metadataByName["TFLITE_METADATA"]?.let { ByteBuffer.wrap(it).order(ByteOrder.LITTLE_ENDIAN) }
            val zip = TrailingZip(data)
            if (metadata == null || identifier(metadata) != METADATA_IDENTIFIER) {
                return ModelFile(null, null, null, crop(zip), null, runtime)
            }
            val root = FlatbufferTable.root(metadata)
            val graph = root.tables(3).firstOrNull()
            val normalization = graph?.tables(2)?.firstOrNull()?.tables(4)
                ?.firstOrNull { it.byte(0) == NORMALIZATION }?.table(1)
            val labelFile = graph?.tables(3)?.flatMap { it.tables(6) }
                ?.firstOrNull { it.byte(2) in LABEL_TYPES }?.string(0)
            return ModelFile(
                name = root.string(0),
                mean = normalization?.floats(0)?.also { check("mean", it) { value -> value.isFinite() } },
                std = normalization?.floats(1)?.also { check("std", it) { value -> value.isFinite() && value > 0 } },
                crop = crop(zip),
                labels = labelFile?.let { labels(zip, it) },
                runtime = runtime,
            )
        }

        /** Other tools may write any values, and a division by zero would show in the scores only. */
        private fun check(name: String, values: FloatArray, valid: (Float) -> Boolean) {
            if (values.isEmpty() || !values.all(valid)) {
                throw UserError("The model's $name is ${values.joinToString(prefix = "[", postfix = "]", limit = 4)}; ${accepted(name)}.")
            }
        }

        private fun accepted(name: String) =
            if (name == "std") "one or more numbers above 0 are accepted" else "one or more finite numbers are accepted"

        private fun labels(zip: TrailingZip, name: String): List<String> {
            val text = zip.read(name)?.toString(Charsets.UTF_8)
                ?: throw UserError("The model refers to $name but does not contain it; copy or export it again.")
            val lines = text.removePrefix("\uFEFF").replace("\r\n", "\n").replace('\r', '\n').split("\n")
            return lines.dropLastWhile { it.isBlank() }
        }

        /**
         * Read the crop from preprocessing.json, and reject preparation that differs from the app's. Other
         * tools may write anything into a file of that name.
         */
        private fun crop(zip: TrailingZip): Double? {
            val text = zip.read("preprocessing.json")?.toString(Charsets.UTF_8) ?: return null
            val values = runCatching { Json.parse(text) }.getOrNull() as? Map<*, *> ?: return null
            for ((field, only, others) in PREPARATION) {
                val stated = values[field] as? String
                if (stated in others) throw UserError("The model's $field is $stated; only $only is accepted.")
            }
            val crop = values["crop"] as? Double ?: return null
            if (crop > 0 && crop <= 1) return crop
            throw UserError("The model's crop is $crop; numbers above 0 and up to 1 are accepted.")
        }
    }
}
