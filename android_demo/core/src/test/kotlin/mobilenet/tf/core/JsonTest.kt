package mobilenet.tf.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class JsonTest {
    @Test
    fun roundTrip() {
        val value = mapOf(
            "text" to "a \"b\" \\ \n\u0001 ä \uD83D\uDE00", "list" to listOf(1.5, -2e-9, 1e20, true, null),
            "empty" to mapOf<String, Any>(), "none" to listOf<Any>(),
        )
        assertEquals(value, Json.parse(Json.write(value)))
    }

    @Test
    fun readsAndWritesOtherFormatting() {
        assertEquals(mapOf("a" to listOf(1.0, "\u00e9/\t")), Json.parse(" {\"a\" : [ 1 ,\"\\u00e9\\/\\t\" ]}\r\n"))
        assertEquals("[1, 2.5, null]", Json.write(listOf(1, 2.5, Double.NaN)))
    }

    @Test
    fun rejectsInvalidJson() {
        val wrong = listOf("", "{", "[1,]", "{\"a\"}", "\"a", "\"\\u12", "\"\\x\"", "tru", "1 2", "--", "[".repeat(999))
        for (text in wrong) assertThrows(text, IllegalArgumentException::class.java) { Json.parse(text) }
    }
}
