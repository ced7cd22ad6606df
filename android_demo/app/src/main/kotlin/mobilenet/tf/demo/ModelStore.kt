package mobilenet.tf.demo

import android.content.Context
import android.net.Uri
import android.provider.OpenableColumns
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import mobilenet.tf.core.Unusable
import mobilenet.tf.engine.GoldenPictures

/** The models of this app: all in its assets, and those opened from the phone, which are copied. */
class ModelStore(private val context: Context) {
    private val opened = File(context.filesDir, "models")

    /** Names, those of the assets first. */
    fun names(): List<String> {
        val shipped = context.assets.list("").orEmpty().filter { it.endsWith(SUFFIX) }.sorted()
        val own = opened.list().orEmpty().filter { it.endsWith(SUFFIX) }.sorted()
        return (shipped + own).map { it.removeSuffix(SUFFIX) }.distinct()
    }

    /**
     * A model's bytes, in memory that the runtime reads directly.
     *
     * @throws Unusable if it cannot be read.
     */
    fun load(name: String): ByteBuffer = reading {
        val bytes = open("$name$SUFFIX").use { limited(it) }
        ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply { put(bytes).rewind() }
    }

    /** What Python gave on some pictures; null for a model that came without. */
    fun golden(name: String): GoldenPictures? {
        val file = "$name.golden.json"
        if (context.assets.list("").orEmpty().none { it == file }) return null
        return GoldenPictures.read(reading { context.assets.open(file).use { it.readBytes() }.toString(Charsets.UTF_8) })
    }

    /**
     * Keep a file that the user opened.
     *
     * @return its name.
     * @throws Unusable if it cannot be read or is too large.
     */
    fun add(uri: Uri): String = reading {
        val stream = context.contentResolver.openInputStream(uri) ?: throw IOException("no stream")
        val bytes = stream.use { limited(it) }
        val name = displayName(uri).removeSuffix(SUFFIX).replace(Regex("[^A-Za-z0-9_. -]"), "_").trim('.', ' ')
        // Not under a shipped model's name, which would hide it.
        val free = if (context.assets.list("").orEmpty().contains("$name$SUFFIX")) "$name (opened)" else name
        opened.mkdirs()
        val partial = File(opened, ".partial")
        partial.writeBytes(bytes)
        if (!partial.renameTo(File(opened, "${free.ifEmpty { "model" }}$SUFFIX"))) throw IOException("no space")
        free.ifEmpty { "model" }
    }

    private fun open(file: String): InputStream {
        val shipped = context.assets.list("").orEmpty().contains(file)
        return if (shipped) context.assets.open(file) else File(opened, file).inputStream()
    }

    private fun displayName(uri: Uri): String =
        context.contentResolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
            ?.use { if (it.moveToFirst()) it.getString(0) else null }
            ?: uri.lastPathSegment.orEmpty()

    private fun limited(stream: InputStream): ByteArray {
        val bytes = stream.readBytes(LIMIT)
        return bytes ?: throw Unusable(context.getString(R.string.file_too_large, LIMIT shr 20))
    }

    private fun <T> reading(work: () -> T): T = try {
        work()
    } catch (error: IOException) {
        throw Unusable(context.getString(R.string.file_unreadable), error)
    } catch (error: SecurityException) {
        throw Unusable(context.getString(R.string.file_unreadable), error)
    }

    private companion object {
        const val SUFFIX = ".tflite"
        const val LIMIT = 200 shl 20
    }
}

/** All that is left in a stream; null if that is more than [limit] bytes. */
internal fun InputStream.readBytes(limit: Int): ByteArray? {
    val out = java.io.ByteArrayOutputStream()
    val chunk = ByteArray(1 shl 16)
    while (true) {
        val count = read(chunk)
        if (count < 0) return out.toByteArray()
        if (out.size() + count > limit) return null
        out.write(chunk, 0, count)
    }
}
