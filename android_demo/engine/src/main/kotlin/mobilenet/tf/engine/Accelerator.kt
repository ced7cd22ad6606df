package mobilenet.tf.engine

import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter

/** Hardware and kernels that run the model. */
enum class Accelerator {
    /** The CPU with XNNPACK: the default, and what Python's runtime uses. */
    XNNPACK,

    /** The CPU with the runtime's built-in kernels: the fallback for all others. */
    PLAIN_CPU,

    /** Android's Neural Networks API, deprecated since Android 15. Where it is missing, the runtime uses the CPU. */
    NNAPI,
}

/**
 * Returns a delegate that the runtime does not create by itself, or null if none is needed.
 *
 * The caller keeps ownership of the delegate.
 */
typealias DelegateSource = (Accelerator) -> Delegate?

internal fun interpreterOptions(
    accelerator: Accelerator,
    threads: Int,
    delegates: DelegateSource,
): Interpreter.Options = Interpreter.Options().apply {
    setNumThreads(threads)
    setUseXNNPACK(accelerator == Accelerator.XNNPACK)
    @Suppress("DEPRECATION")
    if (accelerator == Accelerator.NNAPI) setUseNNAPI(true)
    delegates(accelerator)?.let { addDelegate(it) }
}
