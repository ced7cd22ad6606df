"""Pruning masks: one bit per element, and the values that are not zero."""

import numpy as np

from mobilenet_tf.deployment.tflite.compressed.layout import (
    HEADER_BYTES,
    Encoded,
    Instructions,
    Layout,
    NotEncodable,
    header,
    pack_bits,
    read_table,
    unpack_bits,
    with_axis,
)

NUMBER = 2
INSTRUCTIONS = Instructions(c=18, interpreter=17)


def encode(values: np.ndarray, layout: Layout) -> Encoded:
    """Encode a tensor.

    Args:
        values: The tensor, of `layout`'s shape and type.
        layout: What it looks like.

    Raises:
        NotEncodable: A zero point is not 0, and the type is not int8.
    """
    if layout.dtype != "int8" and any(layout.zero_points):
        raise NotEncodable("a zero point is not 0, which only int8 may have")
    kept = values.reshape(-1) != layout.zeros
    table = values.reshape(-1)[kept].astype(layout.stored).tobytes()
    return Encoded(pack_bits(kept, 1), header(NUMBER, with_axis(layout.axis)) + table)


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor.

    Raises:
        Damaged: The data do not hold such a tensor.
    """
    kept = unpack_bits(encoded, 1, layout.elements).astype(bool)
    values = layout.zeros.copy()
    values[kept] = read_table(ancillary[HEADER_BYTES:], int(kept.sum()), layout)
    return values.reshape(layout.shape)
