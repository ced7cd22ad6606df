package mobilenet.tf.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import java.io.IOException
import mobilenet.tf.core.ArgbPixels
import mobilenet.tf.core.PixelSource
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.Unusable
import mobilenet.tf.core.Upright

/** A picture from the phone: its pixels as stored, which side is up, and one to show. */
class Photo(val source: PixelSource, val upright: Upright, val shown: Bitmap)

/**
 * Read a photo at the fraction of its size at which training would.
 *
 * @throws Unusable if it is no picture, or too large for the memory.
 */
fun readPhoto(context: Context, uri: Uri, size: Int, crop: Double): Photo {
    try {
        val bytes = context.contentResolver.openInputStream(uri)?.use { it.readBytes(PHOTO_LIMIT) }
            ?: throw IOException("no stream, or too much of it")
        val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options)
        if (options.outWidth <= 0) throw IOException("no picture")
        options.inJustDecodeBounds = false
        options.inPremultiplied = false
        options.inSampleSize = Preprocessor.jpegDivisor(options.outWidth, options.outHeight, size, crop)
        val bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options) ?: throw IOException("damaged")
        val upright = Upright.ofExif(exifOrientation(bytes))
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        return Photo(ArgbPixels(bitmap.width, bitmap.height, pixels), upright, turned(pixels, bitmap, upright))
    } catch (error: IOException) {
        throw Unusable(context.getString(R.string.photo_unreadable), error)
    } catch (error: SecurityException) {
        throw Unusable(context.getString(R.string.photo_unreadable), error)
    } catch (error: OutOfMemoryError) {
        throw Unusable(context.getString(R.string.photo_unreadable), error)
    }
}

/** Damaged EXIF says nothing of which side is up. */
private fun exifOrientation(bytes: ByteArray): Int = try {
    ExifInterface(bytes.inputStream()).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1)
} catch (error: IOException) {
    1
}

private fun turned(pixels: IntArray, bitmap: Bitmap, upright: Upright): Bitmap {
    // A canvas draws premultiplied pixels only.
    val shown = Bitmap.createBitmap(pixels, bitmap.width, bitmap.height, Bitmap.Config.ARGB_8888)
    val matrix = Matrix()
    if (upright.mirrored) matrix.postScale(-1f, 1f)
    matrix.postRotate(upright.degrees.toFloat())
    return Bitmap.createBitmap(shown, 0, 0, shown.width, shown.height, matrix, true)
}

private const val PHOTO_LIMIT = 100 shl 20
