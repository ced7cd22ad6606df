package mobilenet.tf.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Rect
import android.graphics.RectF
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import mobilenet.tf.live.PictureFit
import mobilenet.tf.tasks.Drawing
import mobilenet.tf.tasks.FoundBox
import mobilenet.tf.tasks.Mask

/** Draws boxes and a mask over the image below it, which may be the preview or a still image. */
class OverlayView(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    private val unit = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_DIP, 1f, resources.displayMetrics)
    private val edge = Paint(Paint.ANTI_ALIAS_FLAG).apply { style = Paint.Style.STROKE }
    private val ground = Paint()
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = Color.BLACK
        textSize = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, 14f, resources.displayMetrics)
    }
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private var mask: Bitmap? = null

    /** What is drawn; null draws nothing. */
    var drawing: Drawing? = null
        set(value) {
            if (value?.mask !== field?.mask) mask = value?.mask?.bitmap()
            field = value
            invalidate()
        }

    /** Whether the image below is that of a mirror. */
    var mirrored = false
        set(value) {
            field = value
            invalidate()
        }

    override fun onDraw(canvas: Canvas) {
        val shown = drawing ?: return
        val fit = PictureFit(shown.width, shown.height, width, height, mirrored)
        mask?.let { canvas.draw(it, shown, fit) }
        // The likeliest box is drawn last, over the others.
        for (box in shown.boxes.asReversed()) canvas.draw(box, fit)
    }

    private fun Canvas.draw(mask: Bitmap, shown: Drawing, fit: PictureFit) {
        val from = Rect(shown.maskFrom.left, shown.maskFrom.top, shown.maskFrom.right, shown.maskFrom.bottom)
        val (left, right) = fit.x(shown.maskTo.left.toFloat() / shown.width) to fit.x(shown.maskTo.right.toFloat() / shown.width)
        val (top, bottom) = fit.y(shown.maskTo.top.toFloat() / shown.height) to fit.y(shown.maskTo.bottom.toFloat() / shown.height)
        save()
        if (right < left) scale(-1f, 1f, (left + right) / 2, 0f)
        drawBitmap(mask, from, RectF(minOf(left, right), top, maxOf(left, right), bottom), smooth)
        restore()
    }

    private fun Canvas.draw(box: FoundBox, fit: PictureFit) {
        val (first, second) = fit.x(box.left) to fit.x(box.right)
        val frame = RectF(minOf(first, second), fit.y(box.top), maxOf(first, second), fit.y(box.bottom))
        // A dark edge around the coloured one is visible on any image.
        for ((colour, width) in listOf(Color.BLACK to 4 * unit, box.colour to 2 * unit)) {
            edge.color = colour
            edge.strokeWidth = width
            drawRect(frame, edge)
        }
        val label = "${box.label} ${Math.round(box.score * 100)} %"
        val high = text.fontSpacing
        val wide = text.measureText(label) + 6 * unit
        val left = frame.left.coerceIn(0f, maxOf(0f, width - wide))
        // Above the box if there is room.
        val top = if (frame.top >= high) frame.top - high else frame.top
        ground.color = box.colour
        drawRect(left, top, left + wide, top + high, ground)
        drawText(label, left + 3 * unit, top - text.fontMetrics.ascent, text)
    }

    private fun Mask.bitmap() = Bitmap.createBitmap(argb, width, height, Bitmap.Config.ARGB_8888)
}
