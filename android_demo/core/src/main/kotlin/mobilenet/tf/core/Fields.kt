package mobilenet.tf.core

/**
 * A JSON object in a model's metadata or in a file from elsewhere, of which every value is checked
 * when it is read.
 *
 * @param name what errors call the object.
 * @param content the parsed object; anything else counts as an empty one.
 */
class Fields(private val name: String, content: Any?) {
    private val values = content as? Map<*, *> ?: emptyMap<String, Any>()

    fun text(field: String): String? = values[field] as? String

    fun flag(field: String): Boolean = values[field] == true

    /** @throws UserError if there is no such number, or it lies outside of [range]. */
    fun number(field: String, range: ClosedFloatingPointRange<Double>, absent: Double? = null): Double {
        val value = values[field] ?: absent
        if (value is Double && value in range) return value
        throw wrong(field, value, "a number from ${range.start} to ${range.endInclusive}")
    }

    fun whole(field: String, range: IntRange): Int {
        val value = number(field, range.first.toDouble()..range.last.toDouble())
        if (value == Math.rint(value)) return value.toInt()
        throw wrong(field, value, "a whole number")
    }

    /** Return a list; empty if there is none. */
    fun list(field: String): List<*> = values[field] as? List<*> ?: emptyList<Any>()

    /**
     * Return a list of lists of [width] finite numbers each.
     *
     * @throws UserError if it is not such a list.
     */
    fun rows(field: String, width: Int): List<DoubleArray> = rows(field, list(field), width)

    /** Return a list of such lists, as [rows]. */
    fun groups(field: String, width: Int): List<List<DoubleArray>> =
        list(field).map { rows(field, it as? List<*> ?: listOf(it), width) }

    private fun rows(field: String, rows: List<*>, width: Int): List<DoubleArray> = rows.map { row ->
        val numbers = (row as? List<*>)?.mapNotNull { number -> (number as? Double)?.takeIf { it.isFinite() } }
        if (numbers?.size != width || row.size != width) throw wrong(field, row, "$width numbers in a row")
        numbers.toDoubleArray()
    }

    private fun wrong(field: String, value: Any?, needed: String) =
        UserError("$name.$field is ${value.toString().take(40)}; it must be $needed.")
}
