package mobilenet.tf.core

import java.nio.ByteBuffer
import java.util.zip.Inflater

/**
 * The zip that follows a model in its `.tflite`. Offsets count from the model's first byte.
 *
 * Java's own readers want a file, or a zip that begins at the first byte; a model in an APK's
 * assets or from another app is neither.
 *
 * @param data little-endian.
 */
internal class TrailingZip(private val data: ByteBuffer) {
    private class Entry(val method: Int, val packed: Int, val unpacked: Int, val header: Int)

    private val entries: Map<String, Entry> = directory()

    /** A file's content; null if the zip has no file of that name. */
    fun read(name: String): ByteArray? {
        val entry = entries[name] ?: return null
        require(data.getInt(entry.header) == LOCAL) { "$name has no header." }
        val start = entry.header + 30 + short(entry.header + 26) + short(entry.header + 28)
        val packed = slice(start, entry.packed)
        if (entry.method == STORED) return packed
        require(entry.method == DEFLATED && entry.unpacked in 0..LIMIT) { "$name is packed in an unknown way." }
        val content = ByteArray(entry.unpacked)
        val inflater = Inflater(true)
        try {
            inflater.setInput(packed)
            require(inflater.inflate(content) == content.size) { "$name is cut short." }
        } finally {
            inflater.end()
        }
        return content
    }

    private fun directory(): Map<String, Entry> {
        // The end record is the last 22 bytes, or more where a comment follows.
        val last = data.limit() - 22
        val end = (last downTo maxOf(0, last - 0xFFFF)).firstOrNull { data.getInt(it) == END }
            ?: return emptyMap()
        var at = data.getInt(end + 16)
        return (0 until short(end + 10)).associate {
            require(data.getInt(at) == CENTRAL) { "The directory is damaged." }
            val name = slice(at + 46, short(at + 28)).toString(Charsets.UTF_8)
            val entry = Entry(short(at + 10), data.getInt(at + 20), data.getInt(at + 24), data.getInt(at + 42))
            at += 46 + short(at + 28) + short(at + 30) + short(at + 32)
            name to entry
        }
    }

    private fun short(at: Int): Int = data.getShort(at).toInt() and 0xFFFF

    private fun slice(at: Int, length: Int): ByteArray {
        require(length in 0..data.limit() - at) { "$length bytes at $at are asked for." }
        return ByteArray(length) { data.get(at + it) }
    }

    private companion object {
        const val LOCAL = 0x04034b50
        const val CENTRAL = 0x02014b50
        const val END = 0x06054b50
        const val STORED = 0
        const val DEFLATED = 8
        const val LIMIT = 1 shl 24
    }
}
