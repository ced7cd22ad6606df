package mobilenet.tf.core

import java.nio.ByteBuffer

/**
 * A table of a flatbuffer, read by the number of a field. Fields that the file leaves out are null.
 *
 * @param data little-endian; a damaged file makes it throw IndexOutOfBoundsException or
 *   IllegalArgumentException.
 */
internal class FlatTable(private val data: ByteBuffer, private val start: Int) {
    private fun position(field: Int): Int? {
        val layout = start - data.getInt(start)
        val slot = 4 + 2 * field
        if (slot >= data.getShort(layout).toInt() and 0xFFFF) return null
        val offset = data.getShort(layout + slot).toInt() and 0xFFFF
        return if (offset == 0) null else start + offset
    }

    private fun target(at: Int): Int = at + data.getInt(at)

    fun byte(field: Int): Int? = position(field)?.let { data.get(it).toInt() }

    fun int(field: Int): Int? = position(field)?.let { data.getInt(it) }

    fun table(field: Int): FlatTable? = position(field)?.let { FlatTable(data, target(it)) }

    fun tables(field: Int): List<FlatTable> =
        elements(field, 4) { FlatTable(data, target(it)) } ?: emptyList()

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
        // Before anything of that length is asked of the memory.
        require(length >= 0 && length.toLong() * size <= data.limit() - at - 4) { "A vector of $length." }
        return at + 4 to length
    }

    companion object {
        /** The table that the flatbuffer is about. */
        fun root(data: ByteBuffer): FlatTable = FlatTable(data, data.getInt(0))
    }
}
