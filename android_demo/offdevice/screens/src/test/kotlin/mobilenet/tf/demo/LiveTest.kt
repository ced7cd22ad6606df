package mobilenet.tf.demo

import android.net.Uri
import android.provider.MediaStore
import android.view.View
import java.io.ByteArrayInputStream
import java.io.File
import java.util.concurrent.CountDownLatch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Still images and models on the live screen. The device has no camera. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.PORTRAIT, shadows = [WatchedCameraManager::class])
class LiveTest {
    private val screens = Screens()
    private val settings get() = Settings(RuntimeEnvironment.getApplication())
    private val digits = File(System.getProperty("assets"), "digits.tflite").readBytes()
    private val folder get() = File(RuntimeEnvironment.getApplication().filesDir, "models")

    @Before
    fun start() = screens.loadRuntime()

    private fun edited(old: String, new: String) = String(digits, Charsets.ISO_8859_1)
        .also { assertTrue(old in it && old.length == new.length) }.replace(old, new).toByteArray(Charsets.ISO_8859_1)

    @Test
    fun aStillSurvivesARotation() {
        val live = Live(screens).photo(Reference.UNCLEAR)
        val (before, state) = live.activity to live.state
        live.turn(Screens.LANDSCAPE)
        assertNotEquals(before, live.activity)
        assertEquals(state, live.state)
        assertTrue(live.isShown(R.id.still_image))
        assertEquals("Resume", live.text(R.id.freeze))
        live.press(R.id.freeze)
        assertFalse(live.isShown(R.id.still_image))
        assertNull("the still's answer is gone", live.bars.predictions)
    }

    @Test
    fun aRotationDuringDecodingLosesNothing() {
        val live = Live(screens).awaitModel()
        val mayRead = CountDownLatch(1)
        val png = Screens.png(Reference.bitmap(Reference.UNCLEAR))
        val slow = object : ByteArrayInputStream(png) {
            override fun read(into: ByteArray, from: Int, length: Int): Int {
                mayRead.await()
                return super.read(into, from, length)
            }
        }
        val uri = Uri.parse("content://photos/slow")
        shadowOf(live.activity.contentResolver).registerInputStream(uri, slow)
        live.press(R.id.photo).answer(uri)
        live.turn(Screens.LANDSCAPE)
        assertTrue(live.state.waiting)
        mayRead.countDown()
        live.await { it.isShown(R.id.still_image) }
        assertEquals(Reference.expected(Reference.UNCLEAR).map { it.first }, live.labels)
    }

    @Test
    fun photosComeFromThePhotoPicker() {
        val live = Live(screens).awaitModel().press(R.id.photo)
        val request = live.pick(Screens.png(Reference.bitmap(0)))
        assertEquals(MediaStore.ACTION_PICK_IMAGES, request.action)
        assertEquals("image/*", request.type)
    }

    @Test
    fun aStillIsAnnouncedAndFramesAreNot() {
        val live = Live(screens).awaitModel()
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_NONE, live.bars.accessibilityLiveRegion)
        live.photo(Reference.UNCLEAR)
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE, live.bars.accessibilityLiveRegion)
        assertTrue("${live.bars.contentDescription}", live.bars.contentDescription.startsWith("2: "))
    }

    @Test
    fun otherSettingsAnswerToTheSameStill() {
        val live = Live(screens).photo(Reference.UNCLEAR)
        assertEquals(2, live.labels!!.size)
        val model = live.state.model
        live.controller.pause().resume()
        assertSame("nothing has changed", model, live.state.model)
        live.controller.pause()
        settings.results = 1
        live.controller.resume()
        assertNull("the old answer is gone at once", live.bars.predictions)
        live.await { it.labels != null }
        assertEquals(1, live.labels!!.size)
        assertTrue(live.isShown(R.id.still_image))
    }

    @Test
    fun anotherModelAnswersToTheSameStill() {
        val live = Live(screens).photo(Reference.UNCLEAR)
        // The same network with other labels.
        live.openFile(edited("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"), "letters.tflite")
        live.await { it.state.model?.name == "letters" }
        live.await { it.labels != null }
        assertEquals("c", live.labels!!.first())
        assertTrue(live.isShown(R.id.still_image))
        assertEquals("letters", settings.model)
    }

    @Test
    fun aForeignModelIsRejectedAndNeitherKeptNorRemembered() {
        val files = mapOf(
            "a crop above 1" to edited("\"crop\": 1.0", "\"crop\": 5.0"),
            "no model" to "a text file, nothing else".toByteArray(),
            "the first half" to digits.copyOf(digits.size / 2),
        )
        val live = Live(screens).photo(Reference.UNCLEAR)
        for ((what, file) in files) {
            live.openFile(file, "foreign.tflite")
            live.await { it.notice != null }
            assertTrue(live.notice, live.notice!!.endsWith("."))
            live.press(R.id.dismiss)
            assertNull(live.notice)
            assertEquals(what, "digits", live.state.model?.name)
            assertEquals("2", live.labels!!.first())
            assertEquals("digits", settings.model)
            assertEquals(emptyList<String>(), folder.list()!!.toList())
        }
    }

    @Test
    fun aModelThatCannotBeOpenedAtTheStartIsNoDeadEnd() {
        folder.mkdirs()
        File(folder, "broken.tflite").writeBytes(edited("\"crop\": 1.0", "\"crop\": 0.0"))
        settings.model = "broken"
        val live = Live(screens).await { it.state.error != null }
        assertTrue(live.notice, live.notice!!.contains("crop is 0.0"))
        live.press(R.id.dismiss)
        live.chooseModel(0)
        live.awaitModel()
        assertEquals("digits", settings.model)
    }

    @Test
    fun openedModelsCanBeDeleted() {
        val live = Live(screens).awaitModel()
        live.openFile(digits, "copy.tflite")
        live.await { it.state.model?.name == "copy" }
        live.menu(R.id.model)
        live.await { screens.dialog()?.getButton(-3)?.text == "Delete models…" }
        screens.draw(screens.dialog()!!.window!!.decorView, "models")
        screens.dialog()!!.getButton(-3).performClick()
        live.await { screens.dialog()?.getButton(-1)?.text == "Delete" }
        shadowOf(screens.dialog()!!.listView).performItemClick(0)
        screens.dialog()!!.getButton(-1).performClick()
        live.await { it.state.model?.name == "digits" }
        assertEquals(emptyList<String>(), folder.list()!!.toList())
    }

    @Test
    fun aProvidersExceptionIsANotice() {
        val live = Live(screens).awaitModel()
        val uri = Uri.parse("content://photos/failing")
        shadowOf(live.activity.contentResolver).registerInputStreamSupplier(uri) { throw IllegalStateException("provider") }
        live.press(R.id.photo).answer(uri)
        live.await { it.notice == "This device cannot open the file as an image." }
        live.press(R.id.dismiss)
        live.pickPhoto("not an image".toByteArray()).await { it.notice == "This device cannot open the file as an image." }
        live.press(R.id.dismiss).photo(0)
    }

    @Test
    fun aDeviceWithoutCameraShowsANoticeAndAsksForNothing() {
        val live = Live(screens).await { it.notice != null }.awaitModel()
        assertEquals("This device has no camera. Choose a photo instead.", live.notice)
        assertFalse(live.isShown(R.id.allow_camera))
        assertNull(shadowOf(live.activity).lastRequestedPermission)
        screens.draw(live.activity, "no-camera")
    }
}
