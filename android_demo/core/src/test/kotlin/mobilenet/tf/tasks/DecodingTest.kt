package mobilenet.tf.tasks

import java.io.File
import mobilenet.tf.core.Box
import mobilenet.tf.core.ElementType
import mobilenet.tf.core.Fields
import mobilenet.tf.core.Json
import mobilenet.tf.core.TensorFormat
import mobilenet.tf.core.UserError
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** Decoders find what Python finds, see `tests/tasks/TASK/write_decoding.py`. */
class DecodingTest {
    private val all = Request(100, 0f, Box(0, 0, 1, 1))

    private fun golden(task: String) = Json.parse(File(System.getProperty("tasks"), "$task/decoding.json").readText()) as Map<*, *>

    private fun cases(task: String) = (golden(task)["cases"] as List<*>).map { it as Map<*, *> }.also { assertTrue(it.size > 1) }

    private fun Map<*, *>.numbers(name: String) = (this[name] as List<*>).map { it as Double }

    private fun Map<*, *>.floats(name: String) = numbers(name).map { it.toFloat() }.toFloatArray()

    private fun float(vararg shape: Int) = TensorFormat(ElementType.FLOAT32, shape.toList(), null)

    private fun file(
        settings: Map<String, Any?>,
        outputs: List<TensorFormat>,
        constants: Map<String, Any?> = emptyMap(),
        labels: List<String>? = null,
        input: TensorFormat = float(1, 8, 8, 3),
    ) = Description(labels, Fields("task", settings), Fields("constants", constants), input, outputs)

    private fun detector(case: Map<*, *>): Pair<Description, List<FloatArray>> {
        val rules = case["rules"] as Map<*, *>
        val outputs = (case["outputs"] as List<*>).map { one -> (one as List<*>).map { (it as Double).toFloat() }.toFloatArray() }
        val settings = mapOf("name" to "detection") + listOf("overlap", "score", "most", "background").associateWith { rules[it] }
        val constants = mapOf("maps" to case["maps"], "sizes" to rules["sizes"], "centre_unit" to 0.1, "side_unit" to 0.2, "candidates" to 400.0)
        return file(settings, outputs.map { float(1, it.size) }, constants) to outputs
    }

    @Test
    fun boxes() {
        for (case in cases("detection")) {
            val (file, outputs) = detector(case)
            val boxes = Tasks.of(file).decode(outputs, all).boxes
            val found = case["found"] as Map<*, *>
            val name = "${case["name"]}"
            assertEquals(name, found.numbers("classes").map { "${it.toInt()}" }, boxes.map { it.label })
            assertArrayEquals(name, found.floats("scores"), boxes.map { it.score }.toFloatArray(), 1e-5f)
            val edges = (found["boxes"] as List<*>).flatMap { it as List<*> }.map { (it as Double).toFloat() }.toFloatArray()
            assertArrayEquals(name, edges, boxes.flatMap { listOf(it.left, it.top, it.right, it.bottom) }.toFloatArray(), 1e-5f)
        }
    }

    @Test
    fun theUserMayAskForHigherScoresAndFewerLines() {
        val (file, outputs) = detector(cases("detection").first())
        val whole = Tasks.of(file).decode(outputs, all)
        val second = whole.boxes[1].score
        val few = Tasks.of(file).decode(outputs, Request(1, second, all.filled))
        assertEquals(whole.boxes.filter { it.score >= second }, few.boxes)
        assertEquals(listOf(Prediction(whole.boxes[0].label, whole.boxes[0].score, whole.boxes[0].colour)), few.predictions)
    }

    @Test
    fun masks() {
        for (case in cases("segmentation")) {
            val (h, w) = case.numbers("grid").map { it.toInt() }
            val (height, width) = case.numbers("sides").map { it.toInt() }
            val classes = (case["classes"] as Double).toInt()
            val file = file(mapOf("name" to "segmentation"), listOf(float(1, h, w, classes)), input = float(1, height, width, 3))
            val logits = case.floats("logits")
            val expected = case.numbers("mask").map { it.toInt() }
            // Of integers and of their real values.
            for (scale in listOf(1f, 0.0437f)) {
                val found = Segmentation(file).classesOf(FloatArray(logits.size) { logits[it] * scale }).toList()
                if (scale == 1f || case["name"] != "many ties") assertEquals("${case["name"]}", expected, found)
            }
            val decoded = Segmentation(file).decode(listOf(logits), Request(9, 0f, Box(0, 0, width, height)))
            val largest = expected.groupingBy { it }.eachCount().toList().sortedWith(compareBy({ -it.second }, { it.first }))
            assertEquals(largest.map { "${it.first}" }, decoded.predictions.map { it.label })
            assertEquals(1f, decoded.predictions.map { it.score }.sum(), 1e-5f)
            assertEquals(expected.map { it == 0 }, decoded.mask!!.argb.map { it == 0 })
        }
    }

    @Test
    fun theColoursAreTheFiles() {
        val colours = mapOf("colours" to listOf("#000000", "#800000", "nonsense"))
        val file = file(mapOf("name" to "segmentation"), listOf(float(1, 1, 1, 3)), colours, input = float(1, 2, 2, 3))
        val mask = Tasks.of(file).decode(listOf(floatArrayOf(0f, 1f, 0f)), Request(1, 0f, Box(0, 0, 2, 2))).mask!!
        assertEquals(List(4) { 0x99800000.toInt() }, mask.argb.toList())
    }

    @Test
    fun classes() {
        for (case in cases("classification")) {
            val scores = case.floats("scores")
            val settings = mapOf("name" to "classification") + listOf("temperature", "threshold").associateWith { case[it] }
            val request = Request(scores.size, -1e9f, all.filled)
            val found = Tasks.of(file(settings, listOf(float(1, scores.size)))).decode(listOf(scores), request).predictions
            val name = "${case["name"]}"
            assertEquals(name, case.numbers("classes").map { "${it.toInt()}" }, found.map { it.label })
            assertEquals(name, case["accepted"], found.first().accepted)
            assertArrayEquals(name, case.floats("tempered"), FloatArray(scores.size) { at -> found.first { it.label == "$at" }.score }, 1e-5f)
        }
    }

    @Test
    fun labels() {
        for (case in cases("multilabel")) {
            val logits = case.floats("logits")
            val file = file(mapOf("name" to "multilabel", "thresholds" to case["thresholds"]), listOf(float(1, logits.size)))
            val found = Tasks.of(file).decode(listOf(logits), all).predictions
            val name = "${case["name"]}"
            assertEquals(name, case.numbers("predicted").map { "${it.toInt()}" }, found.filter { it.accepted }.map { it.label })
            val probabilities = case.floats("probabilities")
            assertArrayEquals(name, probabilities, FloatArray(logits.size) { at -> found.first { it.label == "$at" }.score }, 1e-5f)
            assertTrue(name, found.map { it.accepted } == found.map { it.accepted }.sortedDescending())
        }
    }

    @Test
    fun places() {
        for (case in cases("geolocation")) {
            val scores = case.floats("scores")
            val file = file(mapOf("name" to "geolocation"), listOf(float(1, scores.size)), mapOf("cells" to case["cells"]), List(scores.size) { "cell $it" })
            val found = (case["found"] as List<*>).map { it as Map<*, *> }
            val shown = Tasks.of(file).decode(listOf(scores), all).predictions
            assertEquals(found.map { it["label"] }, shown.map { it.label })
            assertArrayEquals(found.map { (it["score"] as Double).toFloat() }.toFloatArray(), shown.map { it.score }.toFloatArray(), 1e-4f)
        }
    }

    @Test
    fun vectors() {
        for (case in cases("embedding")) {
            assertArrayEquals("${case["name"]}", case.floats("unit"), Embedding.unit(case.floats("vector")), 1e-6f)
        }
    }

    @Test
    fun names() {
        val gallery = Gallery.read(Json.write(golden("embedding")["gallery"]))
        assertEquals(listOf("Ada", "Grace", "Émilie"), gallery.names)
        for (case in (golden("embedding")["identified"] as List<*>).map { it as Map<*, *> }) {
            val file = file(mapOf("name" to "embedding", "threshold" to case["threshold"]), listOf(float(1, gallery.dimension)))
            val task = Tasks.of(file)
            assertEquals(NoAnswer.NO_GALLERY to emptyList<Prediction>(), task.decode(listOf(case.floats("vector")), all).run { noAnswer to predictions })
            val found = task.comparing(gallery).decode(listOf(case.floats("vector")), all).predictions
            val expected = (case["names"] as List<*>).map { it as Map<*, *> }
            assertEquals(expected.map { it["name"] }, found.map { it.label })
            assertArrayEquals(expected.map { (it["similarity"] as Double).toFloat() }.toFloatArray(), found.map { it.score }.toFloatArray(), 1e-5f)
            assertEquals(case["name"], found.first().takeIf { it.accepted }?.label)
        }
    }

    @Test
    fun classesAreSortedByScore() {
        val scores = floatArrayOf(0.1f, 0.4f, 0.1f, 0.4f, 0f)
        fun shown(labels: List<String>?, results: Int, least: Float) =
            Tasks.of(file(emptyMap(), listOf(float(1, 5)), labels = labels)).decode(listOf(scores), Request(results, least, all.filled)).predictions
        assertEquals(listOf("b", "d", "a"), shown(listOf("a", "b", "c", "d", "e"), 3, 0f).map { it.label })
        assertEquals(listOf(Prediction("1", 0.4f), Prediction("3", 0.4f)), shown(null, 5, 0.2f))
    }

    @Test
    fun aGalleryIsCheckedAndBelongsToAnEmbedder() {
        val text = Json.write(golden("embedding")["gallery"])
        for (wrong in listOf("", "[]", "{}", "text", text.replace("gallery", "salary"), text.replace("\"dimension\": 8", "\"dimension\": 9"), text.replace("0123456789", "x"), text.replace("Ada\", \"image", " \", \"image"))) {
            assertTrue(wrong.take(60), wrong != text)
            assertThrows(wrong.take(60), UserError::class.java) { Gallery.read(wrong) }
        }
        val classifier = Tasks.of(file(emptyMap(), listOf(float(1, 8))))
        assertThrows(UserError::class.java) { classifier.comparing(Gallery.read(text)) }
        val other = Tasks.of(file(mapOf("name" to "embedding"), listOf(float(1, 9))))
        assertThrows(UserError::class.java) { other.comparing(Gallery.read(text)) }
    }

    @Test
    fun whatDoesNotBelongTogetherIsRefused() {
        val (_, outputs) = detector(cases("detection").first())
        val shapes = outputs.map { float(1, it.size) }
        val segmenter = mapOf("name" to "segmentation")
        for (wrong in listOf(
            file(mapOf("name" to "pose"), listOf(float(1, 5))),
            file(emptyMap(), listOf(float(1, 5), float(1, 5))),
            file(emptyMap(), listOf(float(1, 5)), labels = listOf("one")),
            file(mapOf("name" to "classification", "temperature" to 0.0), listOf(float(1, 5))),
            file(mapOf("name" to "classification", "threshold" to "high"), listOf(float(1, 5))),
            file(mapOf("name" to "detection"), shapes),
            detector(cases("detection").first() + ("maps" to listOf(listOf(4.0, 3.0), listOf(2.0, 2.0), listOf(1.0, 2.0)))).first,
            detector(cases("detection").first() + ("maps" to listOf(listOf(4.0, "3")))).first,
            detector(cases("detection").first() + ("maps" to emptyList<Any>())).first,
            file(segmenter, listOf(float(1, 3, 3, 2))),
            file(segmenter, listOf(float(1, 8))),
            file(mapOf("name" to "multilabel", "thresholds" to listOf(0.5)), listOf(float(1, 2))),
            file(mapOf("name" to "multilabel", "thresholds" to listOf(0.5, 1.0)), listOf(float(1, 2))),
            file(mapOf("name" to "embedding", "threshold" to 3.0), listOf(float(1, 2))),
            file(mapOf("name" to "geolocation"), listOf(float(1, 2))),
            file(mapOf("name" to "geolocation"), listOf(float(1, 1)), mapOf("cells" to listOf(listOf(1.0, 2.0)))),
        )) {
            val error = assertThrows(UserError::class.java) { Tasks.of(wrong) }
            assertTrue(error.message, error.message!!.endsWith("."))
        }
    }

    @Test
    fun drawingsOfAnInputThatShowsLess() {
        val box = FoundBox(0f, 0f, 1f, 0.5f, "dog", 0.9f, 0)
        val placement = mobilenet.tf.core.Placement.of(200, 100, 64, 64, mobilenet.tf.core.Fit.CROP, 1.0)
        val drawing = Decoded(emptyList(), boxes = listOf(box)).drawing(placement)
        assertEquals(box.copy(left = 0.25f, right = 0.75f), drawing.boxes.single())
        assertEquals(Box(0, 0, 64, 64) to Box(50, 0, 150, 100), drawing.maskFrom to drawing.maskTo)
        assertNull(drawing.mask)
    }

    @Test
    fun coloursOfClassesDiffer() {
        val colours = (0 until 12).map { classColour(it) }
        assertEquals(12, colours.toSet().size)
        assertTrue(colours.all { it ushr 24 == 0xFF })
    }
}
