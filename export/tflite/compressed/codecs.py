"""The codecs of TensorFlow Lite Micro's DECODE operator, and how one of them is chosen."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from mobilenet_tf.deployment.tflite.compressed import huffman, lookup, mask
from mobilenet_tf.deployment.tflite.compressed.layout import (
    Damaged,
    Encoded,
    Layout,
    NotEncodable,
    read_header,
)

# A form that takes more instructions than another must not exceed this share of its bytes. The
# plain form takes none.
_SHARE_OF_FASTER = 0.8


@dataclass(frozen=True)
class Codec:
    """A way to store tensors.

    Attributes:
        number: Byte 0 of the ancillary data.
        encode: Returns a tensor encoded; raises NotEncodable.
        decode: Returns the tensor from encoded values and ancillary data; raises Damaged.
    """

    number: int
    encode: Callable[[np.ndarray, Layout], Encoded]
    decode: Callable[[bytes, bytes, Layout], np.ndarray]


CODECS = {
    "lut": Codec(lookup.NUMBER, lookup.encode, lookup.decode),
    "prune": Codec(mask.NUMBER, mask.encode, mask.decode),
    "huffman": Codec(huffman.NUMBER, huffman.encode, huffman.decode),
}


def codec_name(ancillary: bytes) -> str:
    """Return the name of the codec that ancillary data are for.

    Raises:
        Damaged: It is not known here.
    """
    number, _, _ = read_header(ancillary)
    for name, codec in CODECS.items():
        if codec.number == number:
            return name
    raise Damaged(f"the ancillary data are for codec {number}, which is not known here")


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor.

    Raises:
        Damaged: No codec reads the data.
    """
    return CODECS[codec_name(ancillary)].decode(encoded, ancillary, layout)


def best_encoding(
    values: np.ndarray, layout: Layout, names: Collection[str]
) -> tuple[str, Encoded] | None:
    """Return the codec that stores a tensor best, and the tensor encoded by it.

    That is the fastest one that makes it smaller by a fifth, or a slower one that is smaller by
    another fifth.

    Args:
        values: The tensor.
        layout: What it looks like.
        names: Names of the codecs to choose from.

    Returns:
        None if no codec makes it so much smaller.
    """
    forms = []
    for name in names:
        try:
            forms.append((name, CODECS[name].encode(values, layout)))
        except NotEncodable:
            continue
    best, size = None, layout.bytes
    for name, encoded in sorted(forms, key=lambda form: (form[1].instructions, form[1].bytes)):
        if encoded.bytes < size * _SHARE_OF_FASTER:
            best, size = (name, encoded), encoded.bytes
    return best
