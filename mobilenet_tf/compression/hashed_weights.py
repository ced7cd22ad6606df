"""Hashed weights: a kernel has few values, and a hash of its number says which one a weight is.

Chen et al., "Compressing Neural Networks with the Hashing Trick" (HashedNets, 2015). Weights are in
the order of the int8 file: by output channel.
"""

from dataclasses import dataclass

import numpy as np

from mobilenet_tf.core.weight_hash import hash_weights, stored_values

_ROUNDS = 30  # which are enough for rows that differ by a factor only


@dataclass(frozen=True, eq=False)
class Hashed:
    """Rows of weights as values that are shared by a hash.

    Attributes:
        table: float64 (k,), the largest magnitude being 1.
        ranges: float64 (rows,): the factor of each row.
    """

    table: np.ndarray
    ranges: np.ndarray


def hash_kernel(shape: tuple[int, ...], values: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the place among the values, and the sign, of each weight of a Keras kernel.

    Args:
        shape: Sides; the last one is that of output channels. Depthwise kernels have another order.
        values: How many values are stored.

    Returns:
        int64 and float32, of this shape.
    """
    by_channel = np.arange(np.prod(shape)).reshape(shape[-1], *shape[:-1])
    places, signs = hash_weights(np.moveaxis(by_channel, 0, -1), values)
    return places, signs.astype(np.float32)


def fit_hashed(rows: np.ndarray, ratio: int) -> Hashed:
    """Return the values and the range of each row that are nearest to a kernel's weights.

    Alternating least squares; exact for a hashed kernel whose rows were multiplied by positive
    factors, as folding batch normalization does.

    Args:
        rows: (rows, weights).
        ratio: Weights for each value, on average.
    """
    flat = np.asarray(rows, np.float64)
    values = stored_values(flat.size, ratio)
    places, signs = (one.reshape(flat.shape) for one in hash_weights(np.arange(flat.size), values))
    tiny = float(np.finfo(np.float32).tiny)
    ranges = np.sqrt((flat**2).mean(axis=1))
    for _ in range(_ROUNDS):
        ranges = np.maximum(ranges, max(tiny, 1e-6 * float(ranges.max())))
        by_row = np.broadcast_to(ranges[:, None], flat.shape)
        sums = np.bincount(places.reshape(-1), (flat * signs * by_row).reshape(-1), values)
        sizes = np.bincount(places.reshape(-1), (by_row**2).reshape(-1), values)
        table = sums / np.maximum(sizes, tiny)
        shared = table[places] * signs
        ranges = (flat * shared).sum(axis=1) / np.maximum((shared**2).sum(axis=1), tiny)
    largest = max(float(np.abs(table).max()), tiny)
    return Hashed(table / largest, np.maximum(ranges, tiny) * largest)
