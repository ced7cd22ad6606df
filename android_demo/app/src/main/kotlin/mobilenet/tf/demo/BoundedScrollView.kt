package mobilenet.tf.demo

import android.content.Context
import android.util.AttributeSet
import android.widget.ScrollView

/** Takes at most half of the screen's height, so that large text leaves room for the image. */
class BoundedScrollView(context: Context, attributes: AttributeSet? = null) : ScrollView(context, attributes) {
    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val limit = resources.displayMetrics.heightPixels / 2
        val height = MeasureSpec.getSize(heightMeasureSpec)
        val bounded = if (MeasureSpec.getMode(heightMeasureSpec) == MeasureSpec.UNSPECIFIED) limit else minOf(height, limit)
        super.onMeasure(widthMeasureSpec, MeasureSpec.makeMeasureSpec(bounded, MeasureSpec.AT_MOST))
    }
}
