package mobilenet.tf.demo

import android.app.Activity
import android.app.AlertDialog
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import java.io.ByteArrayOutputStream
import java.io.File
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowDialog
import org.tensorflow.lite.TensorFlowLite

/** Draws activities as PNG files into the folder given by the system property `screens`. */
class Screens {
    /** Load the phone's runtime on top of the substitutes for Android's C libraries in `offdevice/runtime`. */
    fun loadRuntime() {
        val folder = File(System.getProperty("java.library.path"))
        for (name in listOf("libc.so", "libm.so", "libdl.so", "liblog.so")) System.load(File(folder, name).path)
        TensorFlowLite.init()
    }

    /** Draw the activity that [show] returns as `name-light.png` and `name-dark.png`. */
    fun inBothThemes(name: String, show: () -> Activity) {
        for ((theme, qualifier) in listOf("light" to "+notnight", "dark" to "+night")) {
            RuntimeEnvironment.setQualifiers(qualifier)
            draw(show(), "$name-$theme")
        }
    }

    fun draw(activity: Activity, name: String) = draw(activity.window.decorView, name)

    fun draw(view: View, name: String) {
        shadowOf(Looper.getMainLooper()).idle()
        val folder = File(System.getProperty("screens")).apply { mkdirs() }
        File(folder, "$name.png").writeBytes(png(bitmap(view)))
    }

    /** The dialog that was shown last, if it is still there. */
    fun dialog(): AlertDialog? = (ShadowDialog.getLatestDialog() as? AlertDialog)?.takeIf { it.isShowing }

    /** Run the main thread's queue until [ready] returns true, for at most 10 seconds. */
    fun await(state: () -> String = { "" }, ready: () -> Boolean) {
        repeat(500) {
            shadowOf(Looper.getMainLooper()).idle()
            if (ready()) return
            Thread.sleep(20)
        }
        throw AssertionError("The app did not reach the expected state within 10 seconds. ${state()}")
    }

    companion object {
        const val PORTRAIT = "w360dp-h640dp-port-notnight-mdpi"
        const val LANDSCAPE = "w640dp-h360dp-land-notnight-mdpi"

        fun bitmap(view: View): Bitmap =
            Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888).also { view.draw(Canvas(it)) }

        fun png(bitmap: Bitmap): ByteArray =
            ByteArrayOutputStream().also { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }.toByteArray()
    }
}
