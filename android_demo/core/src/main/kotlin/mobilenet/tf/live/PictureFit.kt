package mobilenet.tf.live

/**
 * Where an upright image of [width] x [height] lies in a view: centred, as large as fits. This is how
 * an ImageView shows a still image, and how [PreviewFit] shows frames.
 *
 * @param mirrored whether left and right are swapped, as in the preview of a front camera.
 */
class PictureFit(width: Int, height: Int, private val viewWidth: Int, private val viewHeight: Int, private val mirrored: Boolean) {
    private val scale = minOf(viewWidth.toFloat() / width, viewHeight.toFloat() / height)
    private val shownWidth = width * scale
    private val shownHeight = height * scale

    /** Return a point of the view for a share of the image's width. */
    fun x(share: Float): Float = (viewWidth - shownWidth) / 2 + shownWidth * (if (mirrored) 1 - share else share)

    /** Return a point of the view for a share of the image's height. */
    fun y(share: Float): Float = (viewHeight - shownHeight) / 2 + shownHeight * share
}
