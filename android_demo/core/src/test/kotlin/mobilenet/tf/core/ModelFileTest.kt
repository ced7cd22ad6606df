package mobilenet.tf.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.Charset
import java.util.Random
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class ModelFileTest {
    private val content = File(System.getProperty("assets"), "digits.tflite").readBytes()

    private fun read(bytes: ByteArray) = ModelFile.read(ByteBuffer.wrap(bytes))

    @Test
    fun readsTheMetadataOfTheShippedModel() {
        val file = read(content)
        assertEquals((0..9).map { it.toString() }, file.labels)
        assertArrayEquals(floatArrayOf(128f), file.mean, 0f)
        assertArrayEquals(floatArrayOf(127.5f), file.std, 0f)
        assertEquals(1.0, file.crop!!, 0.0)
        assertEquals(Fit.CROP, file.fit)
        assertEquals(Filter.BILINEAR, file.filter)
        assertEquals(128, file.padding)
        assertTrue(file.runtime!!, Regex("""1\.\d+\.0""").matches(file.runtime!!))
        assertTrue(file.name!!, file.name!!.startsWith("MobileNet"))
    }

    @Test
    fun rejectsFilesThatAreNotModels() {
        for (bytes in listOf(ByteArray(0), ByteArray(7), ByteArray(100), "a text file, nothing else".toByteArray())) {
            val error = assertThrows(UserError::class.java) { read(bytes) }
            assertEquals("The file is not a .tflite model.", error.message)
        }
    }

    /** A file truncated anywhere either gives a UserError or is read correctly; no other exception. */
    @Test
    fun truncatedFiles() {
        val lengths = (8 until content.size step 9973) + (content.size - 600 until content.size)
        var refused = 0
        for (length in lengths) {
            try {
                read(content.copyOf(length))
            } catch (error: UserError) {
                refused++
            }
        }
        assertTrue("$refused of ${lengths.size}", refused > lengths.size / 2)
    }

    @Test
    fun damagedFiles() {
        val random = Random(0)
        val headerAndTail = (0 until 4096).toList() + (content.size - 8192 until content.size)
        repeat(3000) {
            val bytes = content.copyOf()
            repeat(3) { bytes[headerAndTail[random.nextInt(headerAndTail.size)]] = random.nextInt(256).toByte() }
            try {
                read(bytes)
            } catch (error: UserError) {
                assertTrue(error.message!!.endsWith("."))
            }
        }
    }

    @Test
    fun missingLabelsAreReported() {
        val zipStart = String(content, LATIN).indexOf("PK\u0003\u0004labels".take(4))
        val error = assertThrows(UserError::class.java) { read(content.copyOf(zipStart)) }
        assertTrue(error.message!!, error.message!!.contains("labels.txt"))
    }

    /** Preprocessing with these values would end the app or give scores without meaning. */
    @Test
    fun rejectsPreprocessingThatCannotBeComputed() {
        for (crop in listOf("0.0", "5.0", "-1.", "1e9")) {
            assertMessage("The model's crop is", replaced("\"crop\": 1.0", "\"crop\": $crop"))
        }
        val end = "\"crop\": 1.0,\n  \"extra\": {}"
        assertMessage("The model's resize is box", replaced(end, "\"resize\": \"box\"".padEnd(end.length)))
        val mean = floats(1, 128f)
        val std = floats(1, 127.5f)
        assertMessage("The model's mean is [NaN]", replaced(mean, floats(1, Float.NaN)))
        assertMessage("The model's mean is []", replaced(mean, floats(0, 128f)))
        for (value in listOf(0f, -1f, Float.POSITIVE_INFINITY)) {
            assertMessage("The model's std is [$value]", replaced(std, floats(1, value)))
        }
    }

    @Test
    fun otherFitsAndFiltersAreRead() {
        val end = "\"crop\": 1.0,\n  \"extra\": {}"
        assertEquals(Filter.MEDIAPIPE, read(replaced(end, "\"resize\": \"mediapipe\"".padEnd(end.length))).filter)
        assertEquals(Fit.PAD, read(replaced(end, "\"fit\": \"pad\"".padEnd(end.length))).fit)
    }

    private fun assertMessage(start: String, bytes: ByteArray) {
        val error = assertThrows(start, UserError::class.java) { read(bytes) }
        assertTrue(error.message!!, error.message!!.startsWith(start) && error.message!!.endsWith("accepted."))
    }

    /** A vector of one float as a flatbuffer stores it: its length, then its content. */
    private fun floats(length: Int, value: Float) =
        String(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(length).putFloat(value).array(), LATIN)

    private fun replaced(old: String, new: String): ByteArray {
        val text = String(content, LATIN)
        val at = text.indexOf(old)
        assertTrue(at >= 0 && at == text.lastIndexOf(old) && old.length == new.length)
        return text.replaceRange(at, at + old.length, new).toByteArray(LATIN)
    }

    private companion object {
        val LATIN: Charset = Charset.forName("ISO-8859-1")
    }
}
