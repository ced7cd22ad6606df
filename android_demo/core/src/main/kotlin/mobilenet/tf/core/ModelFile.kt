package mobilenet.tf.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import java.util.Locale

/**
 * Metadata of a `.tflite` file. Values that the file does not contain are null.
 *
 * @property name name of the model.
 * @property mean one value per channel, or one for all; input = (pixel - mean) / std.
 * @property std one value per channel, or one for all.
 * @property fit how an image of another shape becomes the input; CROP unless the file says otherwise.
 * @property filter how images are resized; BILINEAR unless the file says otherwise.
 * @property crop share of the image that is used of what [fit] allows. Files written by this project
 *   contain it.
 * @property labels class labels in the order of the output.
 * @property runtime oldest runtime version that has all operators of the model, such as "1.14.0".
 * @property task name and settings of the task; empty in classifiers.
 * @property constants what decoding the task's outputs needs beyond its settings.
 */
class ModelFile private constructor(
    val name: String?,
    val mean: FloatArray?,
    val std: FloatArray?,
    val labels: List<String>?,
    val runtime: String?,
    preprocessing: Map<*, *>,
) {
    val fit: Fit = Fit.values().firstOrNull { it.name == (preprocessing["fit"] as? String)?.uppercase(Locale.ROOT) } ?: Fit.CROP
    val filter: Filter = Filter.values().firstOrNull { it.name == (preprocessing["resize"] as? String)?.uppercase(Locale.ROOT) } ?: Filter.BILINEAR
    val crop: Double? = preprocessing["crop"] as? Double
    private val extra = preprocessing["extra"] as? Map<*, *>
    val task: Fields = Fields("task", extra?.get("task"))
    val constants: Fields = Fields("constants", extra?.get("constants"))

    /** Grey level of what an image does not fill: the pixel that becomes 0. */
    val padding: Int get() = Math.rint((mean?.first() ?: 128f).toDouble().coerceIn(0.0, 255.0)).toInt()

    companion object {
        private const val MODEL_IDENTIFIER = "TFL3"
        private const val METADATA_IDENTIFIER = "M001"
        private const val NORMALIZATION = 1
        private val LABEL_TYPES = listOf(2, 3)

        private val OTHER_FILTERS = listOf("nearest", "box", "bicubic", "lanczos")

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
                return ModelFile(null, null, null, null, runtime, preprocessing(zip))
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
                labels = labelFile?.let { labels(zip, it) },
                runtime = runtime,
                preprocessing = preprocessing(zip),
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
         * Read preprocessing.json, and reject preparation that this app cannot do. Other tools may write
         * anything into a file of that name.
         */
        private fun preprocessing(zip: TrailingZip): Map<*, *> {
            val text = zip.read("preprocessing.json")?.toString(Charsets.UTF_8) ?: return emptyMap<String, Any>()
            val values = runCatching { Json.parse(text) }.getOrNull() as? Map<*, *> ?: return emptyMap<String, Any>()
            val resize = values["resize"]
            if (resize in OTHER_FILTERS) {
                val accepted = Filter.values().joinToString(" and ") { it.name.lowercase(Locale.ROOT) }
                throw UserError("The model's resize is $resize; $accepted are accepted.")
            }
            val crop = values["crop"] as? Double ?: return values
            if (crop > 0 && crop <= 1) return values
            throw UserError("The model's crop is $crop; numbers above 0 and up to 1 are accepted.")
        }
    }
}

/** Return the SHA-256 of a file's content, hexadecimal. */
fun sha256(content: ByteBuffer): String =
    MessageDigest.getInstance("SHA-256").apply { update(content.duplicate()) }.digest()
        .joinToString("") { "%02x".format(Locale.ROOT, it.toInt() and 0xFF) }
