"""What a file's kernels look like: the range that they use, and how they are stored."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo

PLAIN, INT4 = "plain", "int4"


@dataclass(frozen=True, eq=False)
class Stored:
    """A kernel as a file stores it.

    Attributes:
        form: `plain`, `int4`, or the name of a codec of TensorFlow Lite Micro's DECODE operator.
        bytes: Bytes of the file, with tables.
        values: Its integers; None if it has none, or stores fewer of them than its shape has.
    """

    form: str
    bytes: int
    values: np.ndarray | None


def plain_kernel(info: TensorInfo, data: np.ndarray | None) -> Stored:
    """Return what is known of a constant whose buffer has this content."""
    data = np.zeros(0, np.uint8) if data is None else data
    count, values = prod(info.shape), None
    if info.dtype == INT4:
        values = unpack_int4(data)[:count].reshape(info.shape) if 2 * len(data) >= count else None
        return Stored(INT4, len(data), values)
    # A sparse kernel stores fewer values than its shape has.
    if info.dtype in ("int8", "uint8") and 0 < len(data) == count:
        values = data.view(info.dtype).reshape(info.shape)
    return Stored(PLAIN, len(data), values)


def range_facts(info: TensorInfo, stored: Stored | None, axis: int) -> dict[str, Any]:
    """Return channel_max and channel_limit of a kernel; see `inspect`.

    Args:
        info: The kernel.
        stored: Its values; None if they are not to be looked at.
        axis: Axis of output channels.
    """
    values = None if stored is None else stored.values
    largest = None if values is None else _channel_max(values, info.zero_point or 0, axis)
    return {"channel_max": largest, "channel_limit": _channel_limit(info)}


def _channel_max(values: np.ndarray, zero_point: int, axis: int) -> dict[str, Any]:
    # uint8 weights of old files are centred on their zero point.
    distance = np.abs(values.astype(np.int32) - np.int64(zero_point))
    largest = distance.max(axis=tuple(a for a in range(values.ndim) if a != axis))
    return {
        "min": int(largest.min()),
        "median": float(np.median(largest)),
        "max": int(largest.max()),
    }


def _channel_limit(info: TensorInfo) -> int:
    """Return the largest distance from the zero point: of int8 weights, -128 is not used."""
    zero = info.zero_point or 0
    if info.dtype == INT4:
        return 7
    return max(zero, 255 - zero) if info.dtype == "uint8" else 127


def storage_facts(size: int, stored: Stored, *, looked_at: bool = True) -> dict[str, Any]:
    """Return how a kernel is stored.

    Args:
        size: Bytes of its values in 8 bits each.
        stored: Its form in the file.
        looked_at: Whether to look at its values.

    Returns:
        stored_as: `plain`, `int4`, `lut`, `prune` or `huffman`; stored_bytes; ratio: `size` for
        each of them; entropy: see `entropy`, None if the values are unknown.
    """
    values = stored.values if looked_at else None
    return {
        "stored_as": stored.form,
        "stored_bytes": stored.bytes,
        "ratio": round(size / stored.bytes, 3) if stored.bytes else None,
        "entropy": None if values is None else round(entropy(values), 3),
    }


def entropy(values: np.ndarray) -> float:
    """Return the bits per value below which no code of single values can go."""
    shares = np.unique(values, return_counts=True)[1] / values.size
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # not -0.0


def pack_int4(values: np.ndarray) -> np.ndarray:
    """Return integers from -8 to 7 as the schema's INT4: two in a byte, the first one low."""
    flat = values.reshape(-1).astype(np.int8).view(np.uint8) & 0xF
    flat = np.append(flat, np.zeros(flat.size % 2, np.uint8))
    return flat[::2] | flat[1::2] << 4


def unpack_int4(data: np.ndarray) -> np.ndarray:
    """Return the integers of INT4, with the one that fills the last byte, as int8."""
    both = np.stack([data << 4, data & 0xF0], axis=-1).astype(np.uint8).reshape(-1)
    return both.view(np.int8) >> 4
