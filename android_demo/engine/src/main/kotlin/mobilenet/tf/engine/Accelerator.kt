package mobilenet.tf.engine

import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter

/** What computes. */
enum class Accelerator {
    /** The CPU with XNNPACK: first choice, and what Python's runtime uses. */
    XNNPACK,

    /** The CPU with the runtime's own kernels: what everything falls back to. */
    PLAIN_CPU,

    /** Android's own, deprecated since Android 15; the runtime falls back where there is none. */
    NNAPI,
}

/**
 * Gives a delegate that the runtime would not set up by itself; null: nothing to add.
 *
 * The caller owns what it gives.
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
