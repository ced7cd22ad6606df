package mobilenet.tf.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.drawable.AdaptiveIconDrawable
import android.view.View
import android.widget.Button
import android.widget.SeekBar
import android.widget.TextView
import mobilenet.tf.tasks.Prediction
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Draws each of the app's screens with Android's own drawing code and the phone's runtime. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = Screens.PORTRAIT, shadows = [WatchedCameraManager::class])
class ScreensTest {
    private val screens = Screens()

    @Before
    fun start() {
        screens.loadRuntime()
        Device.addCameras(0, 1)
    }

    @Test
    fun aPhotoGetsPythonsScores() = screens.inBothThemes("photo") {
        val live = Live(screens).photo(Reference.UNCLEAR)
        val expected = Reference.expected(Reference.UNCLEAR)
        assertEquals(expected.map { it.first }, live.labels)
        expected.zip(live.bars.predictions!!).forEach { (python, shown) -> assertEquals(python.second, shown.score.toDouble(), 1 / 256.0) }
        live.activity
    }

    @Test
    fun timesAreMeasured() {
        // Robolectric's clock stands still, but System.nanoTime must advance for the app's own classes.
        val start = System.nanoTime()
        Thread.sleep(5)
        assertTrue(System.nanoTime() - start >= 5_000_000)
    }

    @Test
    fun inLandscapeTheImageTakesOverHalfOfTheHeight() {
        val live = Live(screens).photo(Reference.UNCLEAR).turn(Screens.LANDSCAPE)
        screens.draw(live.activity, "photo-sideways")
        assertTrue(live.view<View>(R.id.still_image).height > live.activity.window.decorView.height / 2)
        assertEverythingIsReachable(live)
    }

    @Test
    fun largeText() {
        RuntimeEnvironment.setFontScale(2f)
        Settings(RuntimeEnvironment.getApplication()).results = Settings.MAX_RESULTS
        val live = Live(screens).photo(Reference.UNCLEAR)
        screens.draw(live.activity, "photo-large-text")
        val height = live.activity.window.decorView.height
        assertTrue("the image keeps its place", live.view<View>(R.id.still_image).height > height / 5)
        assertEverythingIsReachable(live)
        live.turn(Screens.LANDSCAPE)
        screens.draw(live.activity, "photo-large-text-sideways")
        assertEverythingIsReachable(live)
        val denied = Live(screens).await { it.notice != null }
        screens.draw(denied.activity, "denied-large-text")
        assertTrue(denied.view<Button>(R.id.allow_camera).run { lineCount == 1 && width > 0 })
    }

    /** All buttons lie inside the screen, and no text is cut off. */
    private fun assertEverythingIsReachable(live: Live) {
        val screen = live.activity.window.decorView
        for (id in listOf(R.id.freeze, R.id.photo)) {
            val button = live.view<Button>(id)
            val at = IntArray(2).also { button.getLocationInWindow(it) }
            assertTrue("${button.text}", at[0] >= 0 && at[0] + button.width <= screen.width && at[1] + button.height <= screen.height)
            assertTrue("${button.text}", button.layout.height <= button.height && (0 until button.lineCount).all { button.layout.getEllipsisCount(it) == 0 })
            assertTrue("${button.text} is not broken inside a word", button.lineCount == 1)
        }
    }

    @Test
    @Config(qualifiers = "ar-rEG-ldrtl-" + Screens.PORTRAIT)
    fun rightToLeft() {
        val live = Live(screens).photo(Reference.UNCLEAR)
        assertEquals(View.LAYOUT_DIRECTION_RTL, live.bars.layoutDirection)
        screens.draw(live.activity, "photo-right-to-left")
        val bars = Screens.bitmap(live.bars)
        // The bar begins at the right border; a line without full score ends before the left one.
        val second = bars.height / 2 - 10
        assertTrue(bars.getPixel(bars.width - 20, second) != bars.getPixel(bars.width - 8, second))
        assertEquals(bars.getPixel(8, second), bars.getPixel(100, second))
        assertTrue("freeze is the rightmost", live.view<View>(R.id.freeze).left > live.view<View>(R.id.photo).left)
    }

    @Test
    fun aDeniedCameraShowsANoticeAndAButton() = screens.inBothThemes("denied") {
        val live = Live(screens).await { it.notice != null && it.state.model != null }
        assertEquals("Camera access is denied. Choose a photo, or allow the camera.", live.notice)
        assertTrue(live.isShown(R.id.allow_camera))
        assertFalse("there is no frame to freeze", live.view<View>(R.id.freeze).isEnabled)
        live.activity
    }

    @Test
    fun aLongLabelDoesNotOverlapItsScore() {
        val context = Robolectric.buildActivity(SettingsActivity::class.java).setup().get()
        val (long, none) = listOf("a label that is far too long for ".repeat(3), "").map { label ->
            val view = ScoreBars(context).apply { show(listOf(Prediction(label, 1f)), "") }
            view.measure(View.MeasureSpec.makeMeasureSpec(360, View.MeasureSpec.EXACTLY), View.MeasureSpec.UNSPECIFIED)
            view.layout(0, 0, view.measuredWidth, view.measuredHeight)
            Screens.bitmap(view)
        }
        fun right(of: Bitmap) = Bitmap.createBitmap(of, 290, 0, 70, of.height)
        assertFalse(long.sameAs(none))
        assertTrue(right(long).sameAs(right(none)))
    }

    @Test
    fun settingsShowTheCurrentValues() = screens.inBothThemes("settings") {
        val activity = Robolectric.buildActivity(SettingsActivity::class.java).setup().get()
        assertEquals("Lines shown: 3", activity.findViewById<TextView>(R.id.results_label).text.toString())
        assertEquals(5, activity.findViewById<SeekBar>(R.id.threshold).progress)
        activity
    }

    @Test
    fun theIconIsAdaptive() {
        val icon = RuntimeEnvironment.getApplication().getDrawable(R.mipmap.ic_launcher) as AdaptiveIconDrawable
        val bitmap = Bitmap.createBitmap(108, 108, Bitmap.Config.ARGB_8888)
        icon.setBounds(0, 0, 108, 108)
        icon.draw(Canvas(bitmap))
        assertEquals("the background", 0xFF00695C.toInt(), bitmap.getPixel(54, 20))
        assertTrue("white bars inside the part that launchers show", (30..78).any { bitmap.getPixel(it, 66) == Color.WHITE })
    }
}
