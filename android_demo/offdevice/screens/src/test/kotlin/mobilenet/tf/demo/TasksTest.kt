package mobilenet.tf.demo

import android.graphics.Bitmap
import java.io.File
import mobilenet.tf.core.Json
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Files of every task on the live screen, with what Python's `predict` says; see vectors.py. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.PORTRAIT, shadows = [WatchedCameraManager::class])
class TasksTest {
    private val screens = Screens()
    private val folder = File(System.getProperty("models"))
    private val expected = Json.parse(File(folder, "expected.json").readText()) as Map<*, *>

    @Before
    fun start() = screens.loadRuntime()

    private fun file(name: String) = File(folder, name).readBytes()

    private fun of(task: String) = expected[task] as Map<*, *>

    /** Open a task's model and its picture. */
    private fun opened(task: String): Live {
        val live = Live(screens).awaitModel().openFile(file("$task.tflite"), "$task.tflite")
        live.await { it.state.model?.name == task }
        return live.pickPhoto(file("$task.png")).await { it.state.still != null && it.state.answer != null }
    }

    private fun drawn(live: Live): Bitmap = Screens.bitmap(live.view<OverlayView>(R.id.overlay))

    @Test
    fun boxesAreThoseOfPython() = screens.inBothThemes("detection") {
        val live = opened("detection")
        val python = (of("detection")["boxes"] as List<*>).map { it as Map<*, *> }
        val drawing = live.state.answer!!.drawing
        assertTrue("${python.size}", python.size > 1)
        assertEquals(python.map { it["label"] }.take(100), drawing.boxes.map { it.label })
        for ((known, found) in python.zip(drawing.boxes)) {
            val edges = (known["box"] as List<*>).map { (it as Double).toFloat() }
            assertEquals(edges[0], found.left * drawing.width, 0.06f)
            assertEquals(edges[1], found.top * drawing.height, 0.06f)
            assertEquals(edges[2], found.right * drawing.width, 0.06f)
            assertEquals(edges[3], found.bottom * drawing.height, 0.06f)
            assertEquals((known["score"] as Double).toFloat(), found.score, 1e-3f)
        }
        assertEquals(drawing.boxes.take(3).map { it.label }, live.labels)
        // The picture is a square of the view's width, centred: the likeliest box's right edge has its colour.
        val view = live.view<OverlayView>(R.id.overlay)
        val box = drawing.boxes.first()
        val side = minOf(view.width, view.height)
        val (x, y) = (view.width - side) / 2 + box.right * side to (view.height - side) / 2 + (box.top + box.bottom) / 2 * side
        val colours = (-1..1).map { drawn(live).getPixel((x + it).toInt().coerceIn(0, view.width - 1), y.toInt()) }
        assertTrue("$colours", box.colour in colours)
        live.activity
    }

    @Test
    fun masksAreThoseOfPython() = screens.inBothThemes("segmentation") {
        val live = opened("segmentation")
        val python = (of("segmentation")["classes"] as List<*>).map { it as Map<*, *> }
        assertEquals(python.map { it["label"] }.take(3), live.labels)
        python.zip(live.bars.predictions!!).forEach { (known, found) -> assertEquals((known["share"] as Double).toFloat(), found.score, 1e-3f) }
        val mask = live.state.answer!!.drawing.mask!!
        val size = mask.width * mask.height
        assertEquals(python.filter { it["label"] == "background" }.sumOf { it["share"] as Double }, mask.argb.count { it == 0 } / size.toDouble(), 1e-2)
        val view = drawn(live)
        assertNotEquals("something is drawn", 0, (0 until view.width).count { x -> view.getPixel(x, view.height / 2) != 0 })
        live.activity
    }

    @Test
    fun labelsAreThoseOfPython() {
        val live = opened("multilabel")
        val python = (of("multilabel")["classes"] as List<*>).map { it as Map<*, *> }
        val accepted = live.bars.predictions!!.filter { it.accepted }
        assertEquals(python.map { it["label"] }.take(3), accepted.map { it.label })
        screens.draw(live.activity, "multilabel")
    }

    @Test
    fun placesAreThoseOfPython() {
        val live = opened("geolocation")
        val python = (of("geolocation")["classes"] as List<*>).map { it as Map<*, *> }.filter { it["score"] as Double >= 0.05 }
        assertEquals(python.map { it["label"] }, live.labels)
        screens.draw(live.activity, "geolocation")
    }

    @Test
    fun anEmbedderNamesWhatItsGalleryKnows() {
        val live = opened("embedding")
        assertEquals(0, live.labels!!.size)
        assertEquals("No gallery is open; open one as a model", live.bars.contentDescription)
        live.openFile(file("gallery.json"), "gallery.json")
        live.await { it.labels?.isNotEmpty() == true }
        val python = (of("embedding")["names"] as List<*>).map { it as List<*> }
        assertEquals(python.map { it[0] }.take(3), live.labels)
        python.zip(live.bars.predictions!!).forEach { (known, found) -> assertEquals((known[1] as Double).toFloat(), found.score, 1e-3f) }
        screens.draw(live.activity, "embedding")
        // The gallery stays with its model.
        live.chooseModel(0)
        live.await { it.state.model?.name == "digits" && it.state.answer != null }
        live.chooseModel(1)
        live.await { it.state.model?.name == "embedding" && it.state.answer != null }
        assertEquals(python.map { it[0] }.take(3), live.labels)
    }

    @Test
    fun aGalleryBelongsToTheModelThatMadeIt() {
        val live = Live(screens).awaitModel().openFile(file("gallery.json"), "gallery.json")
        live.await { it.state.error != null }
        assertEquals("The model gives no vectors to compare with those of a gallery.", live.notice)
        live.press(R.id.dismiss)
        live.openFile(file("embedding.tflite"), "embedding.tflite").await { it.state.model?.name == "embedding" }
        val other = String(file("gallery.json")).replace(Regex("\"model\": \"......"), "\"model\": \"000000")
        live.openFile(other.toByteArray(), "other.json").await { it.state.error != null }
        assertTrue(live.notice, live.notice!!.startsWith("The gallery was made by another model"))
        assertEquals("embedding", live.state.model?.name)
    }

    @Test
    fun theLivePictureOfAFrontCameraIsMirrored() {
        val live = opened("detection")
        val overlay = live.view<OverlayView>(R.id.overlay)
        assertFalse(overlay.mirrored)
        val still = drawn(live)
        overlay.mirrored = true
        assertFalse(still.sameAs(drawn(live)))
    }
}
