package mobilenet.tf.demo

import android.content.Context
import android.net.Uri
import android.provider.OpenableColumns
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import mobilenet.tf.core.UserError
import mobilenet.tf.engine.GoldenImages

/** The app's models: those in its assets, and copies of those that the user opened from the phone. */
class ModelStore(private val context: Context) {
    private val opened = File(context.filesDir, "models")

    /** Return the names of all models, those in the assets first. */
    fun names(): List<String> {
        val shipped = context.assets.list("").orEmpty().filter { it.endsWith(SUFFIX) }.sorted()
        val copied = opened.list().orEmpty().filter { it.endsWith(SUFFIX) }.sorted()
        return (shipped + copied).map { it.removeSuffix(SUFFIX) }.distinct()
    }

    /**
     * Read a model into a direct buffer, as the runtime requires.
     *
     * @throws UserError if the file cannot be read.
     */
    fun load(name: String): ByteBuffer = reportErrors {
        val bytes = open("$name$SUFFIX").use { readLimited(it) }
        ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply { put(bytes).rewind() }
    }

    /** Read the reference scores of a model; null if there are none. */
    fun golden(name: String): GoldenImages? {
        val file = "$name.golden.json"
        if (context.assets.list("").orEmpty().none { it == file }) return null
        return GoldenImages.read(reportErrors { context.assets.open(file).use { it.readBytes() }.toString(Charsets.UTF_8) })
    }

    /**
     * Copy a file that the user opened into the app.
     *
     * @return the model's name.
     * @throws UserError if the file cannot be read or is too large.
     */
    fun add(uri: Uri): String = reportErrors {
        val stream = context.contentResolver.openInputStream(uri) ?: throw IOException("no stream")
        val bytes = stream.use { readLimited(it) }
        val name = displayName(uri).removeSuffix(SUFFIX).replace(Regex("[^A-Za-z0-9_. -]"), "_").trim('.', ' ')
        // A model of the same name in the assets would hide the copy.
        val unique = if (context.assets.list("").orEmpty().contains("$name$SUFFIX")) "$name (opened)" else name
        opened.mkdirs()
        val partial = File(opened, ".partial")
        partial.writeBytes(bytes)
        if (!partial.renameTo(File(opened, "${unique.ifEmpty { "model" }}$SUFFIX"))) throw IOException("no space")
        unique.ifEmpty { "model" }
    }

    private fun open(file: String): InputStream {
        val shipped = context.assets.list("").orEmpty().contains(file)
        return if (shipped) context.assets.open(file) else File(opened, file).inputStream()
    }

    private fun displayName(uri: Uri): String =
        context.contentResolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
            ?.use { if (it.moveToFirst()) it.getString(0) else null }
            ?: uri.lastPathSegment.orEmpty()

    private fun readLimited(stream: InputStream): ByteArray {
        val bytes = stream.readBytes(LIMIT)
        return bytes ?: throw UserError(context.getString(R.string.file_too_large, LIMIT shr 20))
    }

    private fun <T> reportErrors(work: () -> T): T = try {
        work()
    } catch (error: IOException) {
        throw UserError(context.getString(R.string.file_unreadable), error)
    } catch (error: SecurityException) {
        throw UserError(context.getString(R.string.file_unreadable), error)
    }

    private companion object {
        const val SUFFIX = ".tflite"
        const val LIMIT = 200 shl 20
    }
}

/** Read the rest of a stream; return null if it is longer than [limit] bytes. */
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
