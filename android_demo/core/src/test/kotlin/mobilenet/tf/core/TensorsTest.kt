package mobilenet.tf.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class TensorsTest {
    private val pixels = byteArrayOf(0, 1, 127, -128, -1)
    private val mean = floatArrayOf(128f)
    private val std = floatArrayOf(127.5f)

    private fun format(type: ElementType, scale: Float?, zeroPoint: Int = 0, channels: Int = 1) =
        TensorFormat(type, listOf(1, 1, pixels.size / channels, channels), scale, zeroPoint)

    private fun filled(format: TensorFormat, mean: FloatArray?, std: FloatArray?): ByteBuffer {
        val buffer = ByteBuffer.allocate(format.count * format.type.bytes).order(ByteOrder.nativeOrder())
        InputTable(format, mean, std).fill(pixels, buffer)
        assertEquals(0, buffer.position())
        return buffer
    }

    @Test
    fun ownFilesNeedNoRescaling() {
        val unsigned = format(ElementType.UINT8, 1 / 127.5f, 128)
        assertArrayEquals(pixels, filled(unsigned, mean, std).array())
        val signed = format(ElementType.INT8, 1 / 127.5f, 0)
        assertArrayEquals(byteArrayOf(-128, -127, -1, 0, 127), filled(signed, mean, std).array())
    }

    @Test
    fun otherScalesAreAppliedAndClipped() {
        // With mean 100, scale 2 and zero point 10, pixels 0 and 1 are below the range; 255 becomes 87.5.
        val other = format(ElementType.UINT8, 2f, 10)
        assertArrayEquals(
            byteArrayOf(0, 0, 24, 24, 88),
            filled(other, floatArrayOf(100f), floatArrayOf(1f)).array(),
        )
    }

    @Test
    fun withoutMetadataPixelsAreShiftedIfSigned() {
        assertArrayEquals(pixels, filled(format(ElementType.UINT8, 1f), null, null).array())
        assertArrayEquals(
            byteArrayOf(-128, -127, -1, 0, 127),
            filled(format(ElementType.INT8, 1f), null, null).array(),
        )
    }

    @Test
    fun floats() {
        val buffer = filled(format(ElementType.FLOAT32, null), mean, std)
        val expected = intArrayOf(0, 1, 127, 128, 255).map { ((it - 128) / 127.5).toFloat() }
        assertEquals(expected, List(5) { buffer.getFloat(4 * it) })
        assertThrows(UserError::class.java) { InputTable(format(ElementType.FLOAT32, null), null, null) }
    }

    @Test
    fun eachChannelHasItsOwnNormalisation() {
        val format = TensorFormat(ElementType.FLOAT32, listOf(1, 1, 1, 3), null)
        val buffer = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder())
        InputTable(format, floatArrayOf(10f, 20f, 30f), floatArrayOf(1f, 2f, 4f)).fill(byteArrayOf(50, 50, 50), buffer)
        assertEquals(listOf(40f, 15f, 5f), List(3) { buffer.getFloat(4 * it) })
    }

    @Test
    fun rejectsNormalisationOfAnotherNumberOfChannels() {
        val format = TensorFormat(ElementType.UINT8, listOf(1, 1, 1, 3), 1f)
        for (count in listOf(0, 2, 4)) for (wrong in listOf(FloatArray(count) to std, mean to FloatArray(count))) {
            val error = assertThrows(UserError::class.java) { InputTable(format, wrong.first, wrong.second) }
            assertEquals("has $count values for 3 channels.", error.message!!.substringAfter(' ').substringAfter(' ').substringAfter(' '))
        }
    }

    @Test
    fun rejectsAnImageOfAnotherSize() {
        val table = InputTable(format(ElementType.UINT8, 1f), null, null)
        assertThrows(IllegalArgumentException::class.java) { table.fill(ByteArray(4), ByteBuffer.allocate(5)) }
    }

    @Test
    fun dequantize() {
        val content = ByteBuffer.wrap(byteArrayOf(-128, -1, 0, 127))
        fun real(type: ElementType, zeroPoint: Int) =
            TensorFormat(type, listOf(1, 4), 1 / 256f, zeroPoint).dequantize(content).toList()
        assertEquals(listOf(0f, 127 / 256f, 128 / 256f, 255 / 256f), real(ElementType.INT8, -128))
        assertEquals(listOf(128 / 256f, 255 / 256f, 0f, 127 / 256f), real(ElementType.UINT8, 0))
    }
}
