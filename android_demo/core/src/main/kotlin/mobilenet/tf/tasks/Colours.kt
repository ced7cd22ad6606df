package mobilenet.tf.tasks

import kotlin.math.abs

/** Return a bright colour for a class, 0xFFRRGGBB. Hues of classes in succession lie far apart. */
internal fun classColour(index: Int): Int {
    val hue = index * GOLDEN_ANGLE % 360 / 60
    val channels = listOf(abs(hue - 3) - 1, 2 - abs(hue - 2), 2 - abs(hue - 4))
    return channels.fold(0xFF) { argb, share -> argb shl 8 or (80 + 175 * share.coerceIn(0.0, 1.0)).toInt() }
}

private const val GOLDEN_ANGLE = 137.508
