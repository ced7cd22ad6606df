"""The codecs of the DECODE operator, and how one of them is chosen."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_tf.deployment.tflite.compressed import (
    hashed,
    huffman,
    lookup,
    mask,
    vectors,
)
from mobilenet_tf.deployment.tflite.compressed.layout import (
    Damaged,
    Encoded,
    Instructions,
    Layout,
    NotEncodable,
    Part,
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
        encode_parts: Returns the parts of a tensor encoded; raises NotEncodable.
        decode: Returns the tensor from encoded values and ancillary data; raises Damaged.
        instructions: Returns what decoding takes, from ancillary data; raises Damaged.
    """

    number: int
    encode_parts: Callable[[Sequence[Part]], tuple[Encoded, ...]]
    decode: Callable[[bytes, bytes, Layout], np.ndarray]
    instructions: Callable[[bytes, Layout], Instructions]

    def encode(self, values: np.ndarray, layout: Layout) -> Encoded:
        """Return a whole tensor encoded.

        Raises:
            NotEncodable: The format has no form for it.
        """
        return self.encode_parts([(values, layout)])[0]


def _each(
    encode: Callable[[np.ndarray, Layout], Encoded],
) -> Callable[[Sequence[Part]], tuple[Encoded, ...]]:
    """Return the function that encodes parts which have nothing in common."""
    return lambda parts: tuple(encode(*part) for part in parts)


def _always(count: Instructions) -> Callable[[bytes, Layout], Instructions]:
    return lambda ancillary, layout: count


# TensorFlow Lite Micro's, which plain C has too.
CODECS = {
    "lut": Codec(lookup.NUMBER, _each(lookup.encode), lookup.decode, lookup.instructions),
    "prune": Codec(mask.NUMBER, _each(mask.encode), mask.decode, _always(mask.INSTRUCTIONS)),
    "huffman": Codec(
        huffman.NUMBER, _each(huffman.encode), huffman.decode, _always(huffman.INSTRUCTIONS)
    ),
}
C_CODECS = {
    **CODECS,
    "pq": Codec(
        vectors.NUMBER, vectors.encode_parts, vectors.decode, _always(vectors.INSTRUCTIONS)
    ),
    "hash": Codec(hashed.NUMBER, hashed.encode_parts, hashed.decode, _always(hashed.INSTRUCTIONS)),
}


def codec_name(ancillary: bytes) -> str:
    """Return the name of the codec that ancillary data are for.

    Raises:
        Damaged: It is not known here.
    """
    number, _, _ = read_header(ancillary)
    for name, codec in C_CODECS.items():
        if codec.number == number:
            return name
    raise Damaged(f"the ancillary data are for codec {number}, which is not known here")


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor.

    Raises:
        Damaged: No codec reads the data.
    """
    return C_CODECS[codec_name(ancillary)].decode(encoded, ancillary, layout)


def best_encoding(
    parts: Sequence[Part], names: Collection[str]
) -> tuple[str, tuple[Encoded, ...]] | None:
    """Return the codec that stores a tensor best, and the parts of the tensor encoded by it.

    That is the fastest one that makes it smaller by a fifth, or a slower one that is smaller by
    another fifth.

    Args:
        parts: The tensor, whole or in parts that are decoded one at a time.
        names: Names of the codecs to choose from.

    Returns:
        None if no codec makes it so much smaller.
    """
    forms = []
    for name in names:
        try:
            encoded = C_CODECS[name].encode_parts(parts)
        except NotEncodable:
            continue
        slowest = max(
            C_CODECS[name].instructions(one.ancillary, layout).rank
            for one, (_, layout) in zip(encoded, parts, strict=True)
        )
        forms.append((slowest, bytes_of(encoded), name, encoded))
    best, size = None, sum(layout.bytes for _, layout in parts)
    for _, taken, name, encoded in sorted(forms, key=lambda form: form[:2]):
        if taken < size * _SHARE_OF_FASTER:
            best, size = (name, encoded), taken
    return best


def bytes_of(parts: Sequence[Encoded]) -> int:
    """Return the bytes of encoded parts; what some of them have in common is stored once."""
    return sum(map(len, {content for part in parts for content in (part.values, part.ancillary)}))
