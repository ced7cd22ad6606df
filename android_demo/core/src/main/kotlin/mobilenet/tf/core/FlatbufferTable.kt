package mobilenet.tf.core

import java.nio.ByteBuffer

/**
 * A flatbuffer table whose fields are read by number. A field that the file omits reads as null.
 *
 * @param data the flatbuffer, little-endian. Reading a damaged file throws
 *   IndexOutOfBoundsException or IllegalArgumentException.
 * @param start position of the table in [data].
 */
internal class FlatbufferTable private constructor(
    private val data: ByteBuffer,
    private val start: Int,
    private val left: Budget,
) {
    /** What may still be read. Offsets may share tables and texts, so a small file can unfold into a large tree. */
    private class Budget {
        private var tables = TABLES
        private var elements = ELEMENTS

        fun countTable() {
            tables -= 1
            require(tables >= 0) { "The file refers to more than $TABLES tables." }
        }

        fun countElements(count: Int) {
            elements -= count
            require(elements >= 0) { "The file's vectors have more than $ELEMENTS elements." }
        }
    }

    init {
        left.countTable()
    }

    private fun position(field: Int): Int? {
        val vtable = start - data.getInt(start)
        val slot = 4 + 2 * field
        if (slot >= data.getShort(vtable).toInt() and 0xFFFF) return null
        val offset = data.getShort(vtable + slot).toInt() and 0xFFFF
        return if (offset == 0) null else start + offset
    }

    private fun target(at: Int): Int = at + data.getInt(at)

    fun byte(field: Int): Int? = position(field)?.let { data.get(it).toInt() }

    fun int(field: Int): Int? = position(field)?.let { data.getInt(it) }

    fun table(field: Int): FlatbufferTable? = position(field)?.let { FlatbufferTable(data, target(it), left) }

    fun tables(field: Int): List<FlatbufferTable> =
        elements(field, 4) { FlatbufferTable(data, target(it), left) } ?: emptyList()

    fun floats(field: Int): FloatArray? = elements(field, 4) { data.getFloat(it) }?.toFloatArray()

    fun bytes(field: Int): ByteArray? {
        val (from, length) = vector(field, 1) ?: return null
        return ByteArray(length) { data.get(from + it) }
    }

    fun string(field: Int): String? = bytes(field)?.toString(Charsets.UTF_8)

    private fun <T> elements(field: Int, size: Int, read: (Int) -> T): List<T>? {
        val (from, length) = vector(field, size) ?: return null
        return List(length) { read(from + it * size) }
    }

    private fun vector(field: Int, size: Int): Pair<Int, Int>? {
        val at = target(position(field) ?: return null)
        val length = data.getInt(at)
        // Check the length before allocating memory for it.
        require(length >= 0 && length.toLong() * size <= data.limit() - at - 4) {
            "A vector of length $length exceeds the file."
        }
        left.countElements(length)
        return at + 4 to length
    }

    companion object {
        private const val TABLES = 100_000
        private const val ELEMENTS = 1 shl 26

        /** Return the root table of a flatbuffer. */
        fun root(data: ByteBuffer): FlatbufferTable = FlatbufferTable(data, data.getInt(0), Budget())
    }
}
