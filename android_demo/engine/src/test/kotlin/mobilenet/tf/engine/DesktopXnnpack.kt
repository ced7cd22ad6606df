package mobilenet.tf.engine

import java.io.File
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.TensorFlowLite

/**
 * XNNPACK of the phone's library, handed over by hand.
 *
 * From Java, version 2.16.1 leaves it out of files that have no float tensor, however it is asked;
 * its successor litert and Python's runtime do not.
 */
class DesktopXnnpack(threads: Int) : Delegate, AutoCloseable {
    private val handle = create(threads)

    init {
        check(handle != 0L) { "The library has no XNNPACK." }
    }

    override fun getNativeHandle(): Long = handle

    override fun close() = delete(handle)

    private external fun create(threads: Int): Long

    private external fun delete(handle: Long)

    companion object {
        init {
            loadRuntime()
        }
    }
}

/** The phone's library, on those that stand in for Android's. */
fun loadRuntime() {
    val folder = File(System.getProperty("native"))
    for (name in listOf("libc.so", "libm.so", "libdl.so", "liblog.so")) System.load(File(folder, name).path)
    TensorFlowLite.init()
}
