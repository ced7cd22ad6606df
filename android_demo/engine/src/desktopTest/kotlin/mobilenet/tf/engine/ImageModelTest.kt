package mobilenet.tf.engine

import java.io.File
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import mobilenet.tf.core.ElementType
import mobilenet.tf.core.UserError

class ImageModelTest {
    private val file = File(System.getProperty("assets"), "digits.tflite")
    private val pixels = ByteArray(32 * 32) { (it * 7).toByte() }

    init {
        loadRuntime()
    }

    @Test
    fun sizesTypesAndLabelsComeFromTheFile() {
        ImageModel.open(model(file)).use {
            assertEquals(listOf(1, 32, 32, 1), it.input.shape)
            assertEquals(ElementType.UINT8, it.input.type)
            assertEquals(listOf(1, 10), it.outputs.single().shape)
            assertEquals(10, it.file.labels!!.size)
            val scores = it.run(pixels).single()
            assertEquals(1f, scores.sum(), 0.05f)
            assertArrayEquals(scores, it.run(pixels).single(), 0f)
        }
    }

    @Test
    fun threadsDoNotChangeTheScores() {
        val scores = listOf(1, 4).map { threads -> ImageModel.open(model(file), threads).use { it.run(pixels).single() } }
        assertArrayEquals(scores[0], scores[1], 0f)
    }

    @Test
    fun anAcceleratorThatFailsIsReplaced() {
        val expected = ImageModel.open(model(file), accelerator = Accelerator.PLAIN_CPU).use {
            assertNull(it.fallback)
            it.run(pixels).single()
        }
        val failing: DelegateSource = { throw IllegalStateException("This phone has no NNAPI.") }
        ImageModel.open(model(file), accelerator = Accelerator.NNAPI, delegates = failing).use {
            assertEquals(Accelerator.PLAIN_CPU, it.accelerator)
            assertEquals("NNAPI cannot run this model, so the plain CPU runs it.", it.fallback)
            assertArrayEquals(expected, it.run(pixels).single(), 0f)
        }
    }

    @Test
    fun anUnusableFileGivesOneSentence() {
        val bytes = file.readBytes()
        val wrong = mapOf(
            "a text file" to "not a model, just some text".toByteArray(),
            "the first half" to bytes.copyOf(bytes.size / 2),
            "without its labels" to bytes.copyOf(bytes.size - 700),
            "overwritten bytes" to bytes.copyOf().also { it.fill(0x7F, 64, 4096) },
        )
        for ((name, content) in wrong) {
            val error = assertThrows(name, UserError::class.java) { ImageModel.open(direct(content)) }
            val message = error.message!!
            assertTrue("$name: $message", message.endsWith(".") && '\n' !in message)
        }
    }
}
