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
import mobilenet.tf.core.Ranked

/** The likeliest classes as bars, the score in percent at the end. */
class ScoreBars(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    private val line = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, 28f, resources.displayMetrics)
    private val gap = line / 7
    private val margin = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, 16f, resources.displayMetrics)
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = themeColor(android.R.attr.colorAccent) and 0x55FFFFFF }
    private val text = TextPaint(Paint.ANTI_ALIAS_FLAG).apply {
        color = themeColor(android.R.attr.textColorPrimary)
        textSize = line * 0.6f
    }

    /** Lines the view has room for, so that it does not jump with the answers. */
    var lines = 3
        set(value) {
            if (field != value) requestLayout()
            field = value
        }

    /** Null: nothing has been classified yet. */
    var ranked: List<Ranked>? = null
        set(value) {
            field = value
            contentDescription = describe(value.orEmpty())
            invalidate()
        }

    private fun describe(ranked: List<Ranked>): String =
        if (ranked.isEmpty()) context.getString(R.string.nothing_likely)
        else ranked.joinToString(", ") { context.getString(R.string.answer, it.label, percent(it)) }

    private fun percent(ranked: Ranked) = (ranked.score * 100).roundToInt()

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val height = (lines * (line + gap) + gap).roundToInt()
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, widthMeasureSpec), resolveSize(height, heightMeasureSpec))
    }

    override fun onDraw(canvas: Canvas) {
        val ranked = ranked ?: return
        val wide = width - 2 * margin
        if (ranked.isEmpty()) canvas.drawText(context.getString(R.string.nothing_likely), margin, gap + line * 0.7f, text)
        ranked.take(lines).forEachIndexed { index, one ->
            val top = gap + index * (line + gap)
            canvas.drawRect(margin, top, margin + wide * one.score.coerceIn(0f, 1f), top + line, bar)
            val score = "${percent(one)} %"
            val scoreWide = text.measureText(score)
            val label = TextUtils.ellipsize(one.label, text, wide - scoreWide - 4 * gap, TextUtils.TruncateAt.END)
            canvas.drawText(label, 0, label.length, margin + gap, top + line * 0.7f, text)
            canvas.drawText(score, margin + wide - gap - scoreWide, top + line * 0.7f, text)
        }
    }

    private fun themeColor(attribute: Int): Int {
        val value = TypedValue()
        context.theme.resolveAttribute(attribute, value, true)
        return if (value.resourceId != 0) context.getColor(value.resourceId) else value.data
    }
}
