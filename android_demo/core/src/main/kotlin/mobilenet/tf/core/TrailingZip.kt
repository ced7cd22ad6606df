package mobilenet.tf.core

import java.nio.ByteBuffer
import java.util.zip.Inflater

/**
 * The zip archive that is appended to the model in a `.tflite` file. Its offsets count from the first
 * byte of the model.
 *
 * Java's own readers need a file on disk or an archive that begins at the first byte. A model in an
 * APK's assets or from another app is neither.
 *
 * @param data the whole `.tflite` file, little-endian.
 */
internal class TrailingZip(private val data: ByteBuffer) {
    private class Entry(val method: Int, val compressedSize: Int, val size: Int, val header: Int)

    private val entries: Map<String, Entry> = directory()

    /** Return a file's content, or null if the archive has no file of that name. */
    fun read(name: String): ByteArray? {
        val entry = entries[name] ?: return null
        require(data.getInt(entry.header) == LOCAL) { "The header of $name is damaged." }
        require(entry.compressedSize in 0..LIMIT && entry.size in 0..LIMIT) { "$name is too large." }
        val start = entry.header + 30 + short(entry.header + 26) + short(entry.header + 28)
        val compressed = slice(start, entry.compressedSize)
        if (entry.method == STORED) return compressed
        require(entry.method == DEFLATED) { "$name uses an unsupported compression method." }
        val content = ByteArray(entry.size)
        val inflater = Inflater(true)
        try {
            inflater.setInput(compressed)
            require(inflater.inflate(content) == content.size) { "$name is truncated." }
        } finally {
            inflater.end()
        }
        return content
    }

    private fun directory(): Map<String, Entry> {
        // The end record takes the last 22 bytes, plus the comment if there is one.
        val last = data.limit() - 22
        val end = (last downTo maxOf(0, last - 0xFFFF)).firstOrNull { data.getInt(it) == END }
            ?: return emptyMap()
        var at = data.getInt(end + 16)
        return (0 until short(end + 10)).associate {
            require(data.getInt(at) == CENTRAL) { "The archive's directory is damaged." }
            val name = slice(at + 46, short(at + 28)).toString(Charsets.UTF_8)
            val entry = Entry(short(at + 10), data.getInt(at + 20), data.getInt(at + 24), data.getInt(at + 42))
            at += 46 + short(at + 28) + short(at + 30) + short(at + 32)
            name to entry
        }
    }

    private fun short(at: Int): Int = data.getShort(at).toInt() and 0xFFFF

    private fun slice(at: Int, length: Int): ByteArray {
        require(length in 0..data.limit() - at) { "$length bytes at $at exceed the file." }
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
