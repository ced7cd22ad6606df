package mobilenet.tf.tasks

import mobilenet.tf.core.Box
import mobilenet.tf.core.Placement

/**
 * What is drawn over an upright image.
 *
 * @property width of the image, in any unit.
 * @property height of the image, in the same unit.
 * @property boxes with edges in shares of the image.
 * @property maskFrom the part of [mask] that lies over [maskTo], a part of the image.
 */
class Drawing(
    val width: Int,
    val height: Int,
    val boxes: List<FoundBox>,
    val mask: Mask?,
    val maskFrom: Box,
    val maskTo: Box,
)

/** Return what is drawn over the image that [placement] describes. */
fun Decoded.drawing(placement: Placement) = Drawing(
    placement.width,
    placement.height,
    boxes.map {
        it.copy(
            left = placement.x(it.left).coerceIn(0f, 1f),
            top = placement.y(it.top).coerceIn(0f, 1f),
            right = placement.x(it.right).coerceIn(0f, 1f),
            bottom = placement.y(it.bottom).coerceIn(0f, 1f),
        )
    },
    mask,
    placement.target,
    placement.source,
)
