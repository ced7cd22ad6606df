package mobilenet.tf.core

import kotlin.math.max

/** Pixels for display: one Int per pixel, 0xFFRRGGBB, row by row. */
class ArgbImage(val width: Int, val height: Int, val pixels: IntArray)

/**
 * Return an upright copy for display of exactly what the network gets, before the crop.
 *
 * @param longest limit of the longer side. A larger image is reduced by a whole factor, each pixel being
 *   the mean of a square.
 */
fun PixelSource.upright(orientation: Orientation, longest: Int): ArgbImage {
    val (uprightWidth, uprightHeight) = orientation.upright(width, height)
    val step = (max(width, height) + longest - 1) / longest
    val columns = max(1, uprightWidth / step)
    val rows = max(1, uprightHeight / step)
    val pixels = IntArray(columns * rows)
    val pixel = ByteArray(3)
    val sums = IntArray(3)
    for (row in 0 until rows) for (column in 0 until columns) {
        sums.fill(0)
        var count = 0
        for (y in row * step until minOf(uprightHeight, (row + 1) * step)) {
            for (x in column * step until minOf(uprightWidth, (column + 1) * step)) {
                read(orientation.column(x, y, width, height), orientation.row(x, y, width, height), pixel, 0)
                for (channel in 0..2) sums[channel] += pixel[channel].toInt() and 0xFF
                count++
            }
        }
        pixels[row * columns + column] = sums.fold(0xFF) { argb, sum -> argb shl 8 or (sum + count / 2) / count }
    }
    return ArgbImage(columns, rows, pixels)
}
