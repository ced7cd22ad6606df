"""Codebooks of product-quantized kernels: an index of 1 to 8 bits for several weights at once.

Encoded values are the indices; ancillary data have their bits in byte 5, the weights of a vector in
byte 6, and the codebook. Only this project's C decodes them.
"""

from collections.abc import Sequence

import numpy as np

from mobilenet_tf.deployment.tflite.compressed.layout import (
    HEADER_BYTES,
    Damaged,
    Encoded,
    Instructions,
    Layout,
    NotEncodable,
    Part,
    header,
    index_width,
    joined_weights,
    pack_bits,
    read_header,
    read_table,
    unpack_bits,
)

NUMBER = 200
LENGTHS = (2, 4, 8)  # weights in a vector
MOST_VECTORS = 256
_MOST_BITS = 8
INSTRUCTIONS = Instructions(c=10)


def encode_parts(parts: Sequence[Part]) -> tuple[Encoded, ...]:
    """Encode the parts of a tensor with one codebook, of the length that takes the fewest bytes.

    Raises:
        NotEncodable: It is not int8 with zero points of 0, or has more than 256 vectors of each
            length that divides its last side.
    """
    whole = joined_weights(parts)
    forms = [
        form
        for length in LENGTHS
        if not any(one.shape[-1] % length for _, one in parts)
        and (form := _encoded(whole, parts, length))
    ]
    if not forms:
        raise NotEncodable(f"more than {MOST_VECTORS} vectors occur")
    return min(forms, key=lambda form: sum(len(one.values) for one in form) + form[0].bytes)


def _encoded(whole: np.ndarray, parts: Sequence[Part], length: int) -> tuple[Encoded, ...] | None:
    """Return the parts with a codebook of vectors of this length; None if it is too large."""
    codebook, places = np.unique(whole.reshape(-1, length), axis=0, return_inverse=True)
    if len(codebook) > MOST_VECTORS:
        return None
    width = index_width(len(codebook))
    ancillary = header(NUMBER, width, length) + codebook.tobytes()
    ends = np.cumsum([layout.elements // length for _, layout in parts])[:-1]
    return tuple(
        Encoded(pack_bits(one, width), ancillary) for one in np.split(places.reshape(-1), ends)
    )


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor.

    Raises:
        Damaged: The data do not hold such a tensor.
    """
    width, length = read_shape(ancillary)
    if layout.dtype != "int8" or layout.elements % length:
        raise Damaged(f"{layout.elements} values of {layout.dtype} are no vectors of {length} int8")
    places = unpack_bits(encoded, width, layout.elements // length)
    size = (int(places.max()) + 1) * length
    codebook = read_table(ancillary[HEADER_BYTES:], size, layout).reshape(-1, length)
    return codebook[places].reshape(layout.shape)


def read_shape(ancillary: bytes) -> tuple[int, int]:
    """Return the bits of an index, and the weights in a vector.

    Raises:
        Damaged: They are impossible.
    """
    _, width, length = read_header(ancillary)
    if not 1 <= width <= _MOST_BITS or length not in LENGTHS:
        raise Damaged(f"indices of {width} bits are for vectors of {length} values")
    return width, length
