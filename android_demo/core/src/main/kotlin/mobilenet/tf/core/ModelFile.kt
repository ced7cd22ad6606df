package mobilenet.tf.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * What a `.tflite` says of itself, beside its tensors. What it does not state is null.
 *
 * @property mean per channel or one for all; input = (pixel - mean) / std.
 * @property crop share of the picture's shorter side; this project's files state it.
 * @property labels one per class, in the order of the output.
 * @property runtime the oldest runtime that has the model's operators, such as "1.14.0".
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
        private const val MODEL_MARK = "TFL3"
        private const val METADATA_MARK = "M001"
        private const val NORMALIZATION = 1
        private val LABEL_TYPES = listOf(2, 3)

        /**
         * Read the standard's metadata, and the files that follow the model.
         *
         * @throws Unusable if it is no `.tflite`, or is cut short or damaged.
         */
        fun read(content: ByteBuffer): ModelFile {
            val data = content.duplicate().order(ByteOrder.LITTLE_ENDIAN)
            if (mark(data) != MODEL_MARK) throw Unusable("The file is not a .tflite model.")
            try {
                return parse(data)
            } catch (error: Unusable) {
                throw error
            } catch (error: RuntimeException) {
                // Offsets that point anywhere, in whatever way they fail.
                throw Unusable("The model is cut short or damaged; copy or export it again.", error)
            }
        }

        private fun mark(data: ByteBuffer): String? =
            if (data.limit() < 8) null else String(ByteArray(4) { data.get(4 + it) }, Charsets.US_ASCII)

        private fun parse(data: ByteBuffer): ModelFile {
            val model = FlatTable.root(data)
            val buffers = model.tables(4)
            val named = model.tables(6).associate { it.string(0) to (buffers[it.int(1) ?: 0].bytes(0) ?: ByteArray(0)) }
            val runtime = named["min_runtime_version"]?.toString(Charsets.US_ASCII)?.trimEnd('\u0000')
            val metadata = named["TFLITE_METADATA"]?.let { ByteBuffer.wrap(it).order(ByteOrder.LITTLE_ENDIAN) }
            val zip = TrailingZip(data)
            if (metadata == null || mark(metadata) != METADATA_MARK) {
                return ModelFile(null, null, null, crop(zip), null, runtime)
            }
            val root = FlatTable.root(metadata)
            val graph = root.tables(3).firstOrNull()
            val normalization = graph?.tables(2)?.firstOrNull()?.tables(4)
                ?.firstOrNull { it.byte(0) == NORMALIZATION }?.table(1)
            val labelFile = graph?.tables(3)?.flatMap { it.tables(6) }
                ?.firstOrNull { it.byte(2) in LABEL_TYPES }?.string(0)
            return ModelFile(
                name = root.string(0),
                mean = normalization?.floats(0),
                std = normalization?.floats(1),
                crop = crop(zip),
                labels = labelFile?.let { labels(zip, it) },
                runtime = runtime,
            )
        }

        private fun labels(zip: TrailingZip, name: String): List<String> {
            val text = zip.read(name)?.toString(Charsets.UTF_8)
                ?: throw Unusable("The model names $name but does not hold it; copy or export it again.")
            val lines = text.removePrefix("\uFEFF").replace("\r\n", "\n").split("\n")
            return if (lines.last().isEmpty()) lines.dropLast(1) else lines
        }

        /** From preprocessing.json; a foreign file of that name may hold anything. */
        private fun crop(zip: TrailingZip): Double? {
            val text = zip.read("preprocessing.json")?.toString(Charsets.UTF_8) ?: return null
            val values = runCatching { Json.parse(text) }.getOrNull() as? Map<*, *>
            return values?.get("crop") as? Double
        }
    }
}
