"""Hashed kernels: the values that are stored, without any index.

A hash of a weight's number in its kernel says which value it is; see `core.weight_hash`. Encoded
values are the table. Ancillary data have two 32-bit numbers: how many weights of the kernel come
before this part of it, and the size of the table. Only this project's C decodes them.
"""

from collections.abc import Sequence

import numpy as np

from mobilenet_tf.core.weight_hash import RATIOS, hash_weights, stored_values
from mobilenet_tf.deployment.tflite.compressed.layout import (
    HEADER_BYTES,
    Damaged,
    Encoded,
    Instructions,
    Layout,
    NotEncodable,
    Part,
    header,
    joined_weights,
)

NUMBER = 201
_NUMBERS = np.dtype("<u4")  # of the ancillary data
INSTRUCTIONS = Instructions(c=20)


def encode_parts(parts: Sequence[Part]) -> tuple[Encoded, ...]:
    """Encode the parts of a tensor with one table.

    Raises:
        NotEncodable: It is not int8 with zero points of 0, or its weights are not hashed.
    """
    whole = joined_weights(parts)
    table = _table(whole).tobytes()
    starts = np.cumsum([0, *(one.elements for _, one in parts)])[:-1].tolist()
    return tuple(
        Encoded(
            table,
            header(NUMBER, 0) + np.array([start, len(table)], _NUMBERS).tobytes(),
        )
        for start in starts
    )


def _table(values: np.ndarray) -> np.ndarray:
    """Return the smallest table of which flat values are hashed."""
    numbers = np.arange(len(values))
    for ratio in sorted(RATIOS, reverse=True):
        size = stored_values(len(values), ratio)
        places, signs = hash_weights(numbers, size)
        table = np.zeros(size, np.int8)
        table[places] = values * signs
        if np.array_equal(table[places] * signs, values):
            return table
    raise NotEncodable("its weights are not hashed")


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor.

    Raises:
        Damaged: The data do not hold such a tensor.
    """
    start, size = read_numbers(ancillary)
    if layout.dtype != "int8" or not 0 < size <= len(encoded):
        raise Damaged(f"a table of {len(encoded)} bytes does not have {size} values of the tensor")
    places, signs = hash_weights(start + np.arange(layout.elements), size)
    values = np.frombuffer(encoded, np.int8)[places] * signs
    return values.reshape(layout.shape)


def read_numbers(ancillary: bytes) -> tuple[int, int]:
    """Return the number of the first weight, and the size of the table.

    Raises:
        Damaged: The ancillary data are too short.
    """
    numbers = ancillary[HEADER_BYTES:]
    if len(numbers) != 2 * _NUMBERS.itemsize:
        raise Damaged(f"the ancillary data have {len(numbers)} bytes after the header, not 8")
    start, size = np.frombuffer(numbers, _NUMBERS).tolist()
    return start, size
