package mobilenet.tf.core

/**
 * JSON reader and writer for maps, lists, strings, doubles, booleans and null.
 *
 * Android's own JSON classes are not available on the plain JVM that runs this module's tests.
 */
object Json {
    /** @throws IllegalArgumentException if [text] is not valid JSON. */
    fun parse(text: String): Any? = Reader(text).document()

    /** Write a value on one line: the inverse of [parse]. Accepts every number type. */
    fun write(value: Any?): String = when (value) {
        is Map<*, *> -> value.entries.joinToString(", ", "{", "}") { (k, v) -> "${quote("$k")}: ${write(v)}" }
        is Iterable<*> -> value.joinToString(", ", "[", "]") { write(it) }
        is String -> quote(value)
        is Double -> if (value.isFinite()) value.toString() else "null"
        is Number, is Boolean, null -> value.toString()
        else -> throw IllegalArgumentException("$value cannot be written as JSON.")
    }

    private fun quote(text: String): String = buildString {
        append('"')
        for (c in text) {
            if (c == '"' || c == '\\') append('\\').append(c)
            else if (c < ' ') append("\\u%04x".format(c.code))
            else append(c)
        }
        append('"')
    }

    private class Reader(private val text: String) {
        private var at = 0

        fun document(): Any? = value(0).also {
            skip()
            require(at == text.length) { "Unexpected text after the end of the JSON, at $at." }
        }

        private fun value(depth: Int): Any? {
            require(depth < 64) { "The JSON is nested more than 64 levels deep." }
            skip()
            return when (val c = peek()) {
                '{' -> entries('{', '}') {
                    skip()
                    val name = string()
                    skip()
                    expect(':')
                    name to value(depth + 1)
                }.toMap()
                '[' -> entries('[', ']') { value(depth + 1) }
                '"' -> string()
                't' -> literal("true", true)
                'f' -> literal("false", false)
                'n' -> literal("null", null)
                else -> if (c == '-' || c.isDigit()) number() else fail()
            }
        }

        private fun <T> entries(open: Char, close: Char, entry: () -> T): List<T> {
            expect(open)
            skip()
            val found = mutableListOf<T>()
            if (peek() != close) {
                do {
                    found += entry()
                    skip()
                } while (peek() == ',' && at++ >= 0)
            }
            expect(close)
            return found
        }

        private fun string(): String = buildString {
            expect('"')
            while (peek() != '"') {
                var c = text[at++]
                if (c == '\\') {
                    c = when (val escape = next()) {
                        'n' -> '\n'
                        't' -> '\t'
                        'r' -> '\r'
                        'b' -> '\b'
                        'f' -> '\u000C'
                        'u' -> hex()
                        '"', '\\', '/' -> escape
                        else -> fail()
                    }
                }
                append(c)
            }
            at++
        }

        private fun hex(): Char {
            require(at + 4 <= text.length) { "The JSON ends inside a string." }
            return text.substring(at, at + 4).toInt(16).toChar().also { at += 4 }
        }

        private fun number(): Double {
            val from = at
            while (at < text.length && text[at] in "+-.eE0123456789") at++
            return text.substring(from, at).toDouble()
        }

        private fun <T> literal(word: String, value: T): T {
            if (!text.startsWith(word, at)) fail()
            at += word.length
            return value
        }

        private fun skip() {
            while (at < text.length && text[at] in " \t\r\n") at++
        }

        private fun peek(): Char = text.getOrElse(at) { fail() }

        private fun next(): Char = peek().also { at++ }

        private fun expect(c: Char) {
            if (peek() != c) fail()
            at++
        }

        private fun fail(): Nothing = throw IllegalArgumentException("Invalid JSON at $at.")
    }
}
