package mobilenet.tf.engine

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import mobilenet.tf.tasks.Tasks
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.tensorflow.lite.TensorFlowLite

/** Compares the phone's runtime with Python's, for every network family and input type; see vectors.py. */
class ParityTest {
    private val folder = File(System.getProperty("parity"))

    init {
        loadRuntime()
    }

    @Test
    fun scoresDifferFromPythonByAtMostOneLsb() {
        val names = folder.list()!!.filter { it.endsWith(".tflite") }.map { it.removeSuffix(".tflite") }.sorted()
        val types = listOf("float32", "int8", "uint8")
        assertEquals(listOf("v1", "v2", "v3_small").flatMap { family -> types.map { "${family}_$it" } }, names)
        val differences = names.associateWith { compare(it) }
        println("Largest differences from Python in LSB: $differences")
        assertEquals("off by more than 1 LSB", emptyMap<String, Double>(), differences.filterValues { it > 1 })
    }

    /** Models of all tasks, some with several outputs, each of which has its own scale. */
    @Test
    fun outputsOfEveryTaskDifferFromPythonByAtMostOneLsb() {
        val models = File(System.getProperty("models"))
        val names = models.list()!!.filter { it.endsWith(".tflite") }.map { it.removeSuffix(".tflite") }
        assertEquals(Tasks.names - "classification", names.toSet())
        val differences = names.associateWith { name ->
            val golden = GoldenImages.read(File(models, "$name.golden.json").readText())
            ImageModel.open(model(File(models, "$name.tflite")), threads = 1).use { golden.largestDifference(it) }
        }
        println("Largest differences from Python in LSB: $differences")
        assertEquals("off by more than 1 LSB", emptyMap<String, Double>(), differences.filterValues { it > 1 })
    }

    /** Return the largest difference in LSB; for integer models with float outputs, one LSB is 1 / 256. */
    private fun compare(name: String): Double =
        ImageModel.open(model(File(folder, "$name.tflite")), threads = 1).use { model ->
            assertNull(model.fallback)
            val step = model.outputs.single().scale ?: (1 / 256f)
            val pixels = File(folder, "$name.pixels").readBytes().toList()
                .chunked(model.input.count)
            val expected = ByteBuffer.wrap(File(folder, "$name.scores").readBytes()).order(ByteOrder.LITTLE_ENDIAN)
            assertTrue("$name has ${pixels.size} images", pixels.size >= 32)
            pixels.maxOf { image ->
                model.run(image.toByteArray()).single().maxOf { abs(it - expected.float) / step.toDouble() }
            }
        }
}

internal fun model(file: File): ByteBuffer = direct(file.readBytes())

internal fun direct(bytes: ByteArray): ByteBuffer =
    ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply { put(bytes).rewind() }

/** Load the phone's runtime on top of the substitutes for Android's C libraries. */
internal fun loadRuntime() {
    val folder = File(System.getProperty("native"))
    for (name in listOf("libc.so", "libm.so", "libdl.so", "liblog.so")) System.load(File(folder, name).path)
    TensorFlowLite.init()
}
