package mobilenet.tf.demo

import android.graphics.Bitmap
import android.view.TextureView
import android.view.View
import android.widget.Button
import android.widget.ImageView
import android.widget.TextView
import mobilenet.tf.live.Answer
import mobilenet.tf.live.CameraState
import mobilenet.tf.live.LiveState
import mobilenet.tf.live.LoadedModel
import mobilenet.tf.live.Notice
import mobilenet.tf.live.Notice.Action
import mobilenet.tf.live.Notice.Reason
import mobilenet.tf.tasks.NoAnswer

/** Draws a [LiveState] into the views of `live.xml`. */
class LiveViews(root: View) {
    private val resources = root.resources
    val preview: TextureView = root.findViewById(R.id.preview)
    private val still: ImageView = root.findViewById(R.id.still_image)
    private val overlay: OverlayView = root.findViewById(R.id.overlay)
    private val bars: ScoreBars = root.findViewById(R.id.bars)
    private val latency: TextView = root.findViewById(R.id.latency)
    private val model: TextView = root.findViewById(R.id.loaded_model)
    private val freeze: Button = root.findViewById(R.id.freeze)
    private val switch: View = root.findViewById(R.id.switch_camera)
    private val notice: View = root.findViewById(R.id.notice)
    private val noticeText: TextView = root.findViewById(R.id.notice_text)
    private val buttons: Map<Action, View> = mapOf(
        Action.ALLOW to root.findViewById(R.id.allow_camera),
        Action.SETTINGS to root.findViewById(R.id.open_settings),
        Action.RETRY to root.findViewById(R.id.retry),
        Action.DISMISS to root.findViewById(R.id.dismiss),
    )

    /** Reserve space for this number of classes. */
    fun setLines(lines: Int) {
        bars.lines = lines
    }

    fun show(state: LiveState<Bitmap>) {
        show(state.still)
        // A still's answer is read aloud; those to frames come too fast.
        bars.accessibilityLiveRegion =
            if (state.still != null) View.ACCESSIBILITY_LIVE_REGION_POLITE else View.ACCESSIBILITY_LIVE_REGION_NONE
        show(state.answer)
        overlay.mirrored = state.mirrored
        show(state.model)
        show(state.notice, state.error)
        freeze.setText(if (state.still != null) R.string.resume else R.string.freeze)
        freeze.isEnabled = state.still != null || state.canFreeze
        switch.visibility = if (state.canSwitch && state.wantsCamera) View.VISIBLE else View.GONE
        preview.keepScreenOn = state.wantsCamera && state.camera == CameraState.RUNNING
    }

    private fun show(picture: Bitmap?) {
        still.setImageBitmap(picture)
        still.visibility = visible(picture != null)
    }

    private fun show(answer: Answer?) {
        bars.show(answer?.predictions, answer?.noAnswer?.let { resources.getString(it.text) }.orEmpty())
        overlay.drawing = answer?.drawing
        latency.text = answer?.run { resources.getString(R.string.latency, preprocessing, inference, dropped) }
        latency.contentDescription = answer?.run { resources.getString(R.string.latency_spoken, preprocessing, inference) }
    }

    private fun show(loaded: LoadedModel?) {
        val text = loaded?.run { resources.getQuantityString(R.plurals.loaded_model, threads, name, accelerator, threads) }
        // Setting a text announces it, even the same one.
        val lines = listOfNotNull(text, loaded?.fallback).joinToString("\n")
        if (model.text.toString() != lines) model.text = lines
    }

    private fun show(shown: Notice?, error: String?) {
        notice.visibility = visible(shown != null)
        val text = when (shown?.reason) {
            null -> ""
            Reason.ERROR -> error
            Reason.DENIED -> resources.getString(R.string.camera_denied)
            Reason.LOST -> resources.getString(R.string.camera_lost)
            Reason.NO_CAMERA -> resources.getString(R.string.no_camera)
        }
        if (noticeText.text.toString() != text) noticeText.text = text
        for ((action, button) in buttons) button.visibility = visible(shown != null && action in shown.actions)
    }

    private val NoAnswer.text: Int
        get() = when (this) {
            NoAnswer.BELOW_MINIMUM -> R.string.no_prediction
            NoAnswer.NO_LABEL -> R.string.no_label
            NoAnswer.NOTHING_FOUND -> R.string.nothing_found
            NoAnswer.NO_GALLERY -> R.string.no_gallery
        }

    private fun visible(shown: Boolean) = if (shown) View.VISIBLE else View.GONE
}
