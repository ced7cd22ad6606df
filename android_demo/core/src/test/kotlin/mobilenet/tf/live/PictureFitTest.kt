package mobilenet.tf.live

import mobilenet.tf.core.Fit
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.Placement
import org.junit.Assert.assertEquals
import org.junit.Test

/**
 * What is drawn over the preview lies where the preview shows it: a pixel of the sensor, followed on
 * both ways into the view.
 */
class PictureFitTest {
    private val back = CameraInfo("0", Facing.BACK, 90, 640, 480)
    private val cameras = listOf(back, back.copy(sensor = 270), back.copy(sensor = 0), CameraInfo("1", Facing.FRONT, 270, 640, 480), CameraInfo("1", Facing.FRONT, 90, 640, 480))
    private val views = listOf(360 to 480, 640 to 300, 90 to 800)
    private val displays = listOf(0, 90, 180, 270)
    private val points = listOf(0 to 0, 639 to 0, 100 to 60, 320 to 400, 639 to 479)

    @Test
    fun drawingsLieOnThePreview() {
        for (camera in cameras) for ((width, height) in views) for (display in displays) for (point in points) {
            val (x, y) = previewed(camera, width, height, display, point)
            for (fit in Fit.values()) for (crop in listOf(1.0, 0.6)) {
                val drawn = drawn(camera, width, height, display, point, fit, crop)
                val case = "$camera $width x $height, $display, $point, $fit $crop"
                assertEquals(case, x, drawn.first, 0.02)
                assertEquals(case, y, drawn.second, 0.02)
            }
        }
    }

    /** The way of the preview: Android turns frames by the sensor's angle, mirrors those of a front camera, and stretches them. */
    private fun previewed(camera: CameraInfo, width: Int, height: Int, display: Int, point: Pair<Int, Int>): Pair<Double, Double> {
        val (x, y) = (point.first + 0.5) / camera.width to (point.second + 0.5) / camera.height
        val (turnedX, turnedY) = when (camera.sensor) {
            0 -> x to y
            90 -> 1 - y to x
            180 -> 1 - x to 1 - y
            else -> y to 1 - x
        }
        val natural = if (camera.facing == Facing.FRONT) 1 - turnedX else turnedX
        val fit = PreviewFit.of(camera, width, height, display)
        val (fromCentreX, fromCentreY) = (natural - 0.5) * width * fit.scaleX to (turnedY - 0.5) * height * fit.scaleY
        val angle = Math.toRadians(fit.degrees.toDouble())
        return width / 2.0 + fromCentreX * Math.cos(angle) - fromCentreY * Math.sin(angle) to
            height / 2.0 + fromCentreX * Math.sin(angle) + fromCentreY * Math.cos(angle)
    }

    /** The way of the drawing: upright, into the input, back to the image, into the view. */
    private fun drawn(camera: CameraInfo, width: Int, height: Int, display: Int, point: Pair<Int, Int>, fit: Fit, crop: Double): Pair<Double, Double> {
        val orientation = Orientation.fromCamera(camera.sensor, display, camera.facing == Facing.FRONT)
        val (wide, high) = orientation.upright(camera.width, camera.height)
        val (column, row) = upright(orientation, camera, point)
        val placement = Placement.of(wide, high, 96, 64, fit, crop)
        val inputX = (placement.target.left + (column + 0.5f - placement.source.left) * placement.target.width / placement.source.width) / 96
        val inputY = (placement.target.top + (row + 0.5f - placement.source.top) * placement.target.height / placement.source.height) / 64
        val picture = PictureFit(wide, high, width, height, camera.facing == Facing.FRONT)
        return picture.x(placement.x(inputX)).toDouble() to picture.y(placement.y(inputY)).toDouble()
    }

    /** The upright pixel that is read from a stored one. */
    private fun upright(orientation: Orientation, camera: CameraInfo, point: Pair<Int, Int>): Pair<Int, Int> {
        val (wide, high) = orientation.upright(camera.width, camera.height)
        val (x, y) = point
        return listOf(x to y, y to x).flatMap { (one, other) ->
            listOf(one, wide - 1 - one).flatMap { column -> listOf(other, high - 1 - other).map { column to it } }
        }.first { (column, row) ->
            column in 0 until wide && row in 0 until high &&
                orientation.column(column, row, camera.width, camera.height) == x && orientation.row(column, row, camera.width, camera.height) == y
        }
    }

    @Test
    fun stillImagesAreCentredAndNotMirrored() {
        val fit = PictureFit(200, 100, 300, 400, mirrored = false)
        assertEquals(listOf(0f, 300f), listOf(fit.x(0f), fit.x(1f)))
        assertEquals(listOf(125f, 275f), listOf(fit.y(0f), fit.y(1f)))
        assertEquals(300f, PictureFit(200, 100, 300, 400, mirrored = true).x(0f), 0f)
    }
}
