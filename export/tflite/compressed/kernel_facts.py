"""What the kernels of an int8 file hold, and in how few bytes they can be stored."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mobilenet_tf.deployment.tflite.compressed.codecs import (
    C_CODECS,
    CODECS,
    best_encoding,
    bytes_of,
)
from mobilenet_tf.deployment.tflite.compressed.compress import INTERPRETER
from mobilenet_tf.deployment.tflite.compressed.decode_operator import kernels_of
from mobilenet_tf.deployment.tflite.compressed.layout import Layout
from mobilenet_tf.deployment.tflite.kernels import PLAIN, entropy
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model


def stored_size(integers: np.ndarray) -> int:
    """Return the bytes by which an int8 kernel makes a file for TensorFlow Lite Micro larger.

    Args:
        integers: The kernel; output channels, which have scales of their own, are the first axis.
    """
    layout = Layout(integers.shape, zero_points=(0,) * len(integers))
    best = best_encoding([(integers, layout)], tuple(CODECS))
    return min(layout.bytes, bytes_of(best[1]) + INTERPRETER.flash if best else layout.bytes)


def kernel_facts(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield what is known of each int8 kernel of a convolution, from input to output.

    Yields:
        op; shape, as in the file; zeros, the share of weights that are 0; values, how many
        different ones there are; entropy in bits per weight; bytes; stored_as and stored_bytes, the
        codec of `best_encoding` and what it takes, whether or not a device has memory to decode it.
    """
    model = parse_model(content)
    names = op_names(model)
    for _, op, values, layout in kernels_of(model):
        best = best_encoding([(values, layout)], tuple(C_CODECS))
        yield {
            "op": names[op.opcodeIndex],
            "shape": tuple(map(int, values.shape)),
            "zeros": float(np.mean(values == 0)),
            "values": len(np.unique(values)),
            "entropy": round(entropy(values), 3),
            "bytes": layout.bytes,
            "stored_as": best[0] if best else PLAIN,
            "stored_bytes": bytes_of(best[1]) if best else layout.bytes,
        }
