"""What all codecs of TensorFlow Lite Micro's DECODE operator share: channels, header, bits.

DECODE has two inputs per tensor that it restores: the encoded values, and ancillary data, which
are a header of 16 bytes and a codec's tables. Bits are written most significant first, elements in
the row-major order of the tensor, and numbers of several bytes little-endian.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log2, prod
from typing import NamedTuple

import numpy as np

HEADER_BYTES = 16
DTYPES = ("int8", "int16", "int32", "int64", "float32", "bool")
_HEADER_VERSION = _CODEC_VERSION = 1
_AXIS_SHIFT = 4


class NotEncodable(ValueError):
    """A codec's format has no form for a tensor; the text says why."""


class Damaged(ValueError):
    """Encoded values or ancillary data that no encoder writes; the text says what is wrong."""


@dataclass(frozen=True)
class Layout:
    """A tensor as decoders see it.

    Attributes:
        shape: Sides.
        dtype: One of `DTYPES`.
        axis: Axis of the channels: the first or the last; 0 if there is one zero point.
        zero_points: One per channel, or one for all.

    Raises:
        NotEncodable: The decoders cannot restore such a tensor.
    """

    shape: tuple[int, ...]
    dtype: str = "int8"
    axis: int = 0
    zero_points: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise NotEncodable(f"its type is {self.dtype}; DECODE knows {', '.join(DTYPES)}")
        if not self.shape or min(self.shape) < 1:
            raise NotEncodable(f"its shape is {list(self.shape)}")
        least, most = _range(self.dtype)
        if not least <= min(self.zero_points) <= max(self.zero_points) <= most:
            raise NotEncodable(f"a zero point is not from {least} to {most}")
        channels = len(self.zero_points)
        if channels == 1 and self.axis != 0:
            raise NotEncodable(f"it has one scale, on axis {self.axis}; only axis 0 is read then")
        if channels != 1 and self.axis not in (0, len(self.shape) - 1):
            raise NotEncodable(f"its channels are on axis {self.axis}, neither first nor last")
        if channels != 1 and channels != self.shape[self.axis]:
            raise NotEncodable(f"it has {channels} scales on a side of {self.shape[self.axis]}")

    @property
    def channels(self) -> int:
        """Number of channels with a scale of their own."""
        return len(self.zero_points)

    @property
    def elements(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def stored(self) -> np.dtype:
        """The type of values in tables, little-endian."""
        return np.dtype(self.dtype).newbyteorder("<")

    @property
    def bytes(self) -> int:
        """Bytes of the tensor in memory."""
        return self.elements * self.stored.itemsize

    @cached_property
    def channel_of(self) -> np.ndarray:
        """The channel of every element, flat."""
        sides = [1] * len(self.shape)
        sides[self.axis] = self.channels
        return np.broadcast_to(np.arange(self.channels).reshape(sides), self.shape).reshape(-1)

    @cached_property
    def zeros(self) -> np.ndarray:
        """The value that stands for 0.0 in every element, flat."""
        return np.asarray(self.zero_points, self.dtype)[self.channel_of]


def _range(dtype: str) -> tuple[int, int]:
    """Return the least and the largest zero point of a type."""
    if not dtype.startswith("int"):
        return 0, 0
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


@dataclass(frozen=True)
class Encoded:
    """A tensor as DECODE reads it.

    Attributes:
        values: Content of the encoded tensor.
        ancillary: Header and tables.
    """

    values: bytes
    ancillary: bytes

    @property
    def bytes(self) -> int:
        """Bytes of both."""
        return len(self.values) + len(self.ancillary)


class Instructions(NamedTuple):
    """What decoding takes per element on a Cortex-M4, measured by emulation.

    Attributes:
        c: By this project's C; see `benchmarks.compressed_c`.
        interpreter: By TensorFlow Lite Micro; None if it does not decode the form.
    """

    c: int
    interpreter: int | None = None

    @property
    def rank(self) -> int:
        """What forms are compared by: TensorFlow Lite Micro's number where there is one."""
        return self.c if self.interpreter is None else self.interpreter


# A tensor, or consecutive output channels of it, with what it looks like.
Part = tuple[np.ndarray, Layout]


def header(codec: int, parameters: int, stride: int = 0) -> bytes:
    """Return the 16 bytes that ancillary data begin with.

    Args:
        codec: Number of the codec.
        parameters: Byte 5, whose meaning is the codec's.
        stride: Byte 6: elements of a table per channel.
    """
    start = (codec, _HEADER_VERSION, 0, 0, _CODEC_VERSION, parameters, stride)
    return bytes(start).ljust(HEADER_BYTES, b"\0")


def with_axis(axis: int, parameters: int = 0) -> int:
    """Return byte 5 with the axis of the channels in its high half."""
    return axis << _AXIS_SHIFT | parameters


def read_header(ancillary: bytes) -> tuple[int, int, int]:
    """Return the codec's number, byte 5 and byte 6.

    Raises:
        Damaged: The data are too short, or of another version.
    """
    if len(ancillary) < HEADER_BYTES:
        raise Damaged(f"the ancillary data have {len(ancillary)} bytes, fewer than {HEADER_BYTES}")
    versions = ancillary[1], ancillary[4]
    if versions != (_HEADER_VERSION, _CODEC_VERSION):
        raise Damaged(f"the ancillary data are of version {versions[0]}.{versions[1]}, not 1.1")
    return ancillary[0], ancillary[5], ancillary[6]


def index_width(count: int) -> int:
    """Return the bits of an index into a table of so many entries."""
    return max(1, ceil(log2(count)))


def pack_bits(values: np.ndarray, width: int) -> bytes:
    """Return integers of `width` bits without gaps, padded to a byte at the end."""
    places = np.arange(width - 1, -1, -1)
    return np.packbits((values[:, None] >> places & 1).astype(np.uint8)).tobytes()


def unpack_bits(data: bytes, width: int, count: int) -> np.ndarray:
    """Return `count` integers of `width` bits each.

    Raises:
        Damaged: The data are too short.
    """
    if len(data) * 8 < width * count:
        raise Damaged(f"{len(data)} bytes are too few for {count} values of {width} bits")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=width * count)
    return bits.reshape(count, width) @ (1 << np.arange(width - 1, -1, -1))


def read_table(data: bytes, count: int, layout: Layout) -> np.ndarray:
    """Return the first `count` values of a table.

    Raises:
        Damaged: The table is too short.
    """
    if len(data) < count * layout.stored.itemsize:
        raise Damaged(f"a table has {len(data)} bytes, too few for {count} values")
    return np.frombuffer(data, layout.stored, count)


def joined_weights(parts: Sequence[Part]) -> np.ndarray:
    """Return the values of a kernel that is stored in parts, in one dimension.

    Raises:
        NotEncodable: It is not int8 with zero points of 0.
    """
    _, layout = parts[0]
    if layout.dtype != "int8" or any(layout.zero_points):
        raise NotEncodable("only weights of int8 with zero points of 0 have this form")
    return np.concatenate([values.reshape(-1) for values, _ in parts])
