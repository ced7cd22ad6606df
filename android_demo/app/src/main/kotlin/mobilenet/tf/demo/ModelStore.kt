package mobilenet.tf.demo

import android.content.Context
import android.net.Uri
import android.provider.OpenableColumns
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel.MapMode
import mobilenet.tf.core.UserError
import mobilenet.tf.core.sha256
import mobilenet.tf.engine.GoldenImages
import mobilenet.tf.tasks.Gallery

/**
 * The app's models: those in its assets, and copies of those that the user opened from the phone; and
 * galleries, each named by the SHA-256 of the model that made it.
 *
 * All functions access files or other apps, so none may be called on the main thread.
 */
class ModelStore(private val context: Context) {
    private val folder = File(context.filesDir, "models")
    private val galleries = File(context.filesDir, "galleries")

    /** Return the names of all models, those in the assets first. */
    fun names(): List<String> = (shipped() + opened()).distinct()

    /** Return the names of the models that the user opened and may delete. */
    fun opened(): List<String> = models(folder.list()) - shipped()

    /**
     * Map a model into memory.
     *
     * @param name any text; only the names that [names] returns are accepted.
     * @throws UserError if there is no such model or it cannot be read.
     */
    fun load(name: String): ByteBuffer = readable {
        when (name) {
            in shipped() -> mapAsset("$name$SUFFIX")
            in opened() -> map(File(folder, "$name$SUFFIX"))
            else -> throw UserError(context.getString(R.string.unknown_model, name))
        }
    }

    /** Return the gallery of a model; null if none was opened. */
    fun gallery(model: ByteBuffer): Gallery? = readable {
        File(galleries, sha256(model)).takeIf { it.exists() }?.let { Gallery.read(it.readText()) }
    }

    /** Read the reference outputs of a model; null if there are none. */
    fun golden(name: String): GoldenImages? {
        val file = "$name.golden.json"
        if (file !in assets()) return null
        return GoldenImages.read(readable { context.assets.open(file).use { it.readBytes() }.toString(Charsets.UTF_8) })
    }

    /**
     * Copy a file that the user opened into the app, without adding it to the models or galleries yet.
     *
     * @throws UserError if the file cannot be read or is too large.
     */
    fun copy(uri: Uri): CopiedFile = readable {
        val chosen = displayName(uri).removeSuffix(SUFFIX).replace(Regex("[^A-Za-z0-9_. -]"), "_").trim('.', ' ')
        val name = chosen.ifEmpty { "model" }
        folder.mkdirs()
        // The suffix keeps a copy that was interrupted out of the list; the next one replaces it.
        val copy = File(folder, "copied.partial")
        val complete = copy.outputStream().use { to ->
            val from = context.contentResolver.openInputStream(uri) ?: throw IOException("no stream")
            from.use { it.copyTo(to, LIMIT) }
        }
        if (!complete) {
            copy.delete()
            throw UserError(context.getString(R.string.file_too_large, LIMIT shr 20))
        }
        // A model of the same name in the assets would hide the copy.
        CopiedFile(if (name in shipped()) "$name (opened)" else name, copy)
    }

    /** Delete a model that the user opened, and its gallery. */
    fun delete(name: String) = readable {
        if (name in opened()) {
            val file = File(folder, "$name$SUFFIX")
            File(galleries, sha256(map(file))).delete()
            file.delete()
        }
    }

    /** A copied file that becomes a model only when it has given an answer, or a gallery when it has been read. */
    inner class CopiedFile(val name: String, private val copy: File) {
        private var gallery: Gallery? = null

        /** Whether the file is to be read as a model; a gallery is JSON. */
        fun isModel(): Boolean = readable { copy.inputStream().use { it.read() } != '{'.code }

        fun map(): ByteBuffer = readable { map(copy) }

        /** @throws UserError if there is no space. */
        fun keep() = keepAs(File(folder, "$name$SUFFIX"))

        /** @throws UserError if the file is no gallery. */
        fun gallery(): Gallery = readable {
            if (copy.length() > GALLERY_LIMIT) throw UserError(context.getString(R.string.file_too_large, GALLERY_LIMIT shr 20))
            Gallery.read(copy.readText()).also { gallery = it }
        }

        /**
         * Keep the gallery that was read with its model.
         *
         * @throws UserError if another model made it, or there is no space.
         */
        fun keepGallery(model: ByteBuffer) {
            val hash = sha256(model)
            if (gallery!!.model != hash) throw UserError(context.getString(R.string.other_gallery))
            galleries.mkdirs()
            keepAs(File(galleries, hash))
        }

        fun discard() {
            copy.delete()
        }

        private fun keepAs(file: File) = readable {
            if (!copy.renameTo(file)) throw IOException("no space")
        }
    }

    private fun map(file: File): ByteBuffer =
        FileInputStream(file).channel.use { it.map(MapMode.READ_ONLY, 0, it.size()) }

    /** Assets can be mapped because the APK stores models uncompressed. */
    private fun mapAsset(file: String): ByteBuffer = context.assets.openFd(file).use { asset ->
        FileInputStream(asset.fileDescriptor).channel.map(MapMode.READ_ONLY, asset.startOffset, asset.declaredLength)
    }

    private fun assets(): List<String> = context.assets.list("").orEmpty().toList()

    private fun shipped(): List<String> = models(assets().toTypedArray())

    private fun models(files: Array<String>?): List<String> =
        files.orEmpty().filter { it.endsWith(SUFFIX) }.map { it.removeSuffix(SUFFIX) }.sorted()

    private fun displayName(uri: Uri): String =
        context.contentResolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
            ?.use { if (it.moveToFirst()) it.getString(0) else null }
            ?: uri.lastPathSegment.orEmpty()

    private inline fun <T> readable(work: () -> T): T = orUnreadable(context, R.string.file_unreadable, work)

    private companion object {
        const val SUFFIX = ".tflite"
        const val LIMIT = 200 shl 20
        const val GALLERY_LIMIT = 16 shl 20
    }
}

/**
 * Return [work]'s result.
 *
 * @param message sentence for the user about any failure; other apps' providers may throw anything.
 * @throws UserError if [work] fails.
 */
internal inline fun <T> orUnreadable(context: Context, message: Int, work: () -> T): T = try {
    work()
} catch (error: UserError) {
    throw error
} catch (error: Exception) {
    throw UserError(context.getString(message), error)
}

/** Copy the rest of a stream; return false if it is longer than [limit] bytes. */
internal fun InputStream.copyTo(out: OutputStream, limit: Int): Boolean {
    val chunk = ByteArray(1 shl 16)
    var total = 0
    while (true) {
        val count = read(chunk)
        if (count < 0) return true
        total += count
        if (total > limit) return false
        out.write(chunk, 0, count)
    }
}
