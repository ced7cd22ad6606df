package mobilenet.tf.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.text.TextPaint
import android.text.TextUtils
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import kotlin.math.roundToInt
import mobilenet.tf.tasks.Prediction

/** Draws predictions as bars with their scores in percent, in the colours that they have over the image. */
class ScoreBars(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    private val line = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, 28f, resources.displayMetrics)
    private val gap = line / 7
    private val margin = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, 16f, resources.displayMetrics)
    private val accent = themeColor(android.R.attr.colorAccent)
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG)
    private val text = TextPaint(Paint.ANTI_ALIAS_FLAG).apply {
        color = themeColor(android.R.attr.textColorPrimary)
        textSize = line * 0.6f
    }

    /** Number of lines to reserve, so that the height does not change with the number of predictions. */
    var lines = 3
        set(value) {
            if (field != value) requestLayout()
            field = value
        }

    /** Predictions that are drawn; null before the first one. */
    var predictions: List<Prediction>? = null
        private set
    private var noPrediction = ""

    /** @param none text if the list is empty. */
    fun show(predictions: List<Prediction>?, none: String) {
        this.predictions = predictions
        noPrediction = none
        // Setting a description announces it, even the same one.
        val description = describe(predictions)
        if (contentDescription != description) contentDescription = description
        invalidate()
    }

    private fun describe(predictions: List<Prediction>?): String =
        if (predictions == null) context.getString(R.string.predictions)
        else if (predictions.isEmpty()) noPrediction
        else predictions.joinToString(", ") { context.getString(R.string.prediction_spoken, name(it), percent(it)) }

    private fun name(prediction: Prediction) =
        if (prediction.accepted) prediction.label else context.getString(R.string.not_accepted, prediction.label)

    private fun percent(prediction: Prediction) = (prediction.score * 100).roundToInt()

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val height = (lines * (line + gap) + gap).roundToInt()
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, widthMeasureSpec), resolveSize(height, heightMeasureSpec))
    }

    override fun onDraw(canvas: Canvas) {
        val predictions = predictions ?: return
        val barWidth = width - 2 * margin
        if (predictions.isEmpty()) canvas.drawFromStart(fitting(noPrediction, barWidth), margin, gap + line * 0.7f)
        predictions.take(lines).forEachIndexed { index, prediction ->
            val top = gap + index * (line + gap)
            val end = margin + barWidth * prediction.score.coerceIn(0f, 1f)
            bar.color = (prediction.colour ?: accent) and (if (prediction.accepted) OPAQUE else FAINT)
            canvas.drawRect(minOf(x(margin), x(end)), top, maxOf(x(margin), x(end)), top + line, bar)
            val score = "${percent(prediction)} %"
            val scoreWidth = text.measureText(score)
            canvas.drawFromStart(fitting(name(prediction), barWidth - scoreWidth - 4 * gap), margin + gap, top + line * 0.7f)
            canvas.drawFromStart(score, margin + barWidth - gap - scoreWidth, top + line * 0.7f)
        }
    }

    private fun fitting(line: String, width: Float) = TextUtils.ellipsize(line, text, width, TextUtils.TruncateAt.END).toString()

    private val rightToLeft get() = layoutDirection == LAYOUT_DIRECTION_RTL

    /** Return the position that lies [fromStart] pixels from where lines of text start. */
    private fun x(fromStart: Float) = if (rightToLeft) width - fromStart else fromStart

    private fun Canvas.drawFromStart(line: String, fromStart: Float, baseline: Float) {
        text.textAlign = if (rightToLeft) Paint.Align.RIGHT else Paint.Align.LEFT
        drawText(line, x(fromStart), baseline, text)
    }

    private fun themeColor(attribute: Int): Int {
        val value = TypedValue()
        context.theme.resolveAttribute(attribute, value, true)
        return if (value.resourceId != 0) context.getColor(value.resourceId) else value.data
    }

    private companion object {
        /** Text must be readable on a bar of any colour. */
        const val OPAQUE = 0x66FFFFFF
        const val FAINT = 0x22FFFFFF
    }
}
