package mobilenet.tf.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import java.io.IOException
import mobilenet.tf.core.ArgbPixels
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.PixelSource
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.UserError

/**
 * A photo from the phone.
 *
 * @property source pixels as stored.
 * @property orientation how to turn the stored pixels upright.
 * @property bitmap upright copy for display.
 */
class Photo(val source: PixelSource, val orientation: Orientation, val bitmap: Bitmap)

/**
 * Read a photo, reduced while decoding by the same factor as in training.
 *
 * @param size side of the network's input in pixels.
 * @param crop fraction of the shorter side that the network sees.
 * @throws UserError if the file is not an image or does not fit into memory.
 */
fun readPhoto(context: Context, uri: Uri, size: Int, crop: Double): Photo {
    try {
        val bytes = context.contentResolver.openInputStream(uri)?.use { it.readBytes(PHOTO_LIMIT) }
            ?: throw IOException("no stream, or the file is too large")
        val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options)
        if (options.outWidth <= 0) throw IOException("not an image")
        options.inJustDecodeBounds = false
        options.inPremultiplied = false
        options.inSampleSize = Preprocessor.jpegDivisor(options.outWidth, options.outHeight, size, crop)
        val bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options) ?: throw IOException("damaged")
        val orientation = Orientation.fromExif(exifOrientation(bytes))
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        return Photo(ArgbPixels(bitmap.width, bitmap.height, pixels), orientation, upright(pixels, bitmap, orientation))
    } catch (error: IOException) {
        throw UserError(context.getString(R.string.photo_unreadable), error)
    } catch (error: SecurityException) {
        throw UserError(context.getString(R.string.photo_unreadable), error)
    } catch (error: OutOfMemoryError) {
        throw UserError(context.getString(R.string.photo_unreadable), error)
    }
}

/** Return the EXIF orientation; a photo with damaged EXIF data counts as upright. */
private fun exifOrientation(bytes: ByteArray): Int = try {
    ExifInterface(bytes.inputStream()).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1)
} catch (error: IOException) {
    1
}

private fun upright(pixels: IntArray, bitmap: Bitmap, orientation: Orientation): Bitmap {
    // A canvas can draw only premultiplied pixels, which createBitmap makes.
    val drawable = Bitmap.createBitmap(pixels, bitmap.width, bitmap.height, Bitmap.Config.ARGB_8888)
    val matrix = Matrix()
    if (orientation.mirrored) matrix.postScale(-1f, 1f)
    matrix.postRotate(orientation.degrees.toFloat())
    return Bitmap.createBitmap(drawable, 0, 0, drawable.width, drawable.height, matrix, true)
}

private const val PHOTO_LIMIT = 100 shl 20
