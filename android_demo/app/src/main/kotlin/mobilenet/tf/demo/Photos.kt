package mobilenet.tf.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.media.ExifInterface
import android.net.Uri
import java.io.ByteArrayOutputStream
import java.io.IOException
import mobilenet.tf.core.ArgbPixels
import mobilenet.tf.core.Orientation
import mobilenet.tf.core.PixelSource
import mobilenet.tf.core.Preprocessor
import mobilenet.tf.core.UserError
import mobilenet.tf.core.upright
import mobilenet.tf.live.CopiedFrame

/** Pixels as stored, and how to turn them upright. */
class StillPixels(val source: PixelSource, val orientation: Orientation) {
    /** Return an upright copy for display, of bounded size. */
    fun bitmap(): Bitmap {
        val image = source.upright(orientation, LONGEST_SHOWN)
        return Bitmap.createBitmap(image.pixels, image.width, image.height, Bitmap.Config.ARGB_8888)
    }

    private companion object {
        const val LONGEST_SHOWN = 1280
    }
}

/** A still image, which each model may need in another resolution. */
interface Still {
    /**
     * @param preprocessor of the model, which decides how far a photo may be reduced.
     * @throws UserError if the file is not an image or does not fit into memory.
     */
    fun decode(preprocessor: Preprocessor): StillPixels
}

/** A frame of the camera. */
class FrozenFrame(private val frame: CopiedFrame) : Still {
    override fun decode(preprocessor: Preprocessor) = StillPixels(frame.source, frame.orientation)
}

/** A photo from the phone. The file stays in memory, because the permission to read it may expire. */
class Photo private constructor(private val context: Context, private val file: ByteArray) : Still {
    override fun decode(preprocessor: Preprocessor): StillPixels = orUnreadable(context, R.string.photo_unreadable) {
        val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        BitmapFactory.decodeByteArray(file, 0, file.size, options)
        val (width, height) = options.outWidth to options.outHeight
        if (width <= 0 || height <= 0) throw IOException("not an image")
        options.inJustDecodeBounds = false
        options.inPremultiplied = false
        options.inSampleSize = preprocessor.divisor(options.outMimeType, width, height)
        if (width.toLong() * height / (options.inSampleSize * options.inSampleSize) > MAX_PIXELS) {
            throw UserError(context.getString(R.string.photo_too_large, MAX_PIXELS / 1_000_000))
        }
        val bitmap = BitmapFactory.decodeByteArray(file, 0, file.size, options) ?: throw IOException("damaged")
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        val source = ArgbPixels(bitmap.width, bitmap.height, pixels)
        bitmap.recycle()
        StillPixels(source, Orientation.fromExif(exifOrientation()))
    }

    /** Return the EXIF orientation; a photo with damaged EXIF data counts as upright. */
    private fun exifOrientation(): Int = try {
        ExifInterface(file.inputStream()).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1)
    } catch (error: IOException) {
        1
    }

    companion object {
        private const val FILE_LIMIT = 100 shl 20
        private const val MAX_PIXELS = 50_000_000

        /** @throws UserError if the file cannot be read. */
        fun read(context: Context, uri: Uri): Photo = orUnreadable(context, R.string.photo_unreadable) {
            val bytes = ByteArrayOutputStream()
            val stream = context.contentResolver.openInputStream(uri) ?: throw IOException("no stream")
            if (!stream.use { it.copyTo(bytes, FILE_LIMIT) }) throw IOException("too large")
            Photo(context, bytes.toByteArray())
        }
    }
}
