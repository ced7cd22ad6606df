"""Weight sharing: a kernel's weights are replaced by a few values, by k-means.

Han, Mao and Dally, "Deep Compression" (2016), section 3. One table for the whole kernel is what
devices gain from most; a table per output channel loses less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_tf.core.errors import UserError

_MOST_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Clusters:
    """A kernel as a table and an index per weight.

    Attributes:
        centroids: float64 (k,), in ascending order; or (output channels, k), where a channel that
            has fewer repeats its last one.
        indices: The number of each weight's centroid, in the kernel's shape.
    """

    centroids: np.ndarray
    indices: np.ndarray

    @property
    def kernel(self) -> np.ndarray:
        """The kernel with shared weights, float64."""
        tables = [np.arange(len(self.centroids))] if self.centroids.ndim > 1 else []
        return self.centroids[(*tables, self.indices)]


def _linear(weights: np.ndarray, count: int, seed: int) -> np.ndarray:
    """From the smallest to the largest weight in equal steps: few, large weights matter most."""
    return np.linspace(weights[0], weights[-1], count)


def _density(weights: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At equal shares of the weights."""
    return np.quantile(weights, (np.arange(count) + 0.5) / count)


def _plus_plus(weights: np.ndarray, count: int, seed: int) -> np.ndarray:
    """k-means++: each at a weight drawn by its squared distance from the nearest one so far."""
    random = np.random.default_rng(seed)
    chosen = [weights[random.integers(len(weights))]]
    distance = (weights - chosen[0]) ** 2
    while len(chosen) < count:
        chosen.append(random.choice(weights, p=distance / distance.sum()))
        distance = np.minimum(distance, (weights - chosen[-1]) ** 2)
    return np.sort(chosen)


# Name -> function of (sorted weights, number of centroids, seed) -> centroids at the start.
STARTS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "linear": _linear,
    "density": _density,
    "k-means++": _plus_plus,
}


def cluster(
    kernel: np.ndarray,
    count: int,
    start: str = "linear",
    *,
    per_channel: bool = False,
    keep_zeros: bool = False,
    seed: int = 0,
) -> Clusters:
    """Share the weights of a kernel.

    Args:
        kernel: The weights.
        count: The most centroids, of the kernel or of each channel.
        start: One of `STARTS`: where the centroids begin.
        per_channel: Whether each output channel, on the last axis, has centroids of its own.
        keep_zeros: Whether one of the centroids is 0, for the weights that are 0 and no others,
            as after pruning.
        seed: Of the start `k-means++`.

    Raises:
        UserError: There is no such start, or too few centroids.
    """
    if start not in STARTS:
        raise UserError(f"start is {start!r}; it must be one of {', '.join(STARTS)}.")
    if count < 1 + keep_zeros:
        raise UserError(f"{count} clusters; at least {1 + keep_zeros} are needed.")
    if per_channel:
        return _joined(
            [
                cluster(channel, count, start, keep_zeros=keep_zeros, seed=seed)
                for channel in np.moveaxis(kernel, -1, 0)
            ]
        )
    flat = np.asarray(kernel, np.float64).reshape(-1)
    free = flat[flat != 0] if keep_zeros else flat
    centroids = _k_means(np.sort(free), count - keep_zeros, start, seed)
    indices = _nearest(flat, centroids)
    if keep_zeros and len(free) < len(flat):
        place = int(np.searchsorted(centroids, 0.0))
        indices = np.where(flat == 0, place, indices + (indices >= place))
        centroids = np.insert(centroids, place, 0.0)
    return Clusters(centroids, indices.reshape(np.shape(kernel)))


def _joined(channels: Sequence[Clusters]) -> Clusters:
    tables = [one.centroids for one in channels]
    most = max(map(len, tables))
    return Clusters(
        np.stack([np.pad(one, (0, most - len(one)), "edge") for one in tables]),
        np.stack([one.indices for one in channels], axis=-1),
    )


def _k_means(weights: np.ndarray, count: int, start: str, seed: int) -> np.ndarray:
    """Return the centroids of sorted weights; fewer than `count` if they have fewer values."""
    distinct = np.unique(weights)
    if len(distinct) <= count:
        return distinct
    centroids = STARTS[start](weights, count, seed)
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    for _ in range(_MOST_ROUNDS):
        # On a line, the members of a centroid lie between the middles to its neighbours.
        ends = np.searchsorted(weights, (centroids[1:] + centroids[:-1]) / 2)
        ends = np.concatenate([[0], ends, [len(weights)]])
        sizes = np.diff(ends)
        means = np.diff(sums[ends]) / np.maximum(sizes, 1)
        moved = np.sort(np.where(sizes > 0, means, centroids))
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    return np.unique(centroids)


def _nearest(weights: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return np.searchsorted((centroids[1:] + centroids[:-1]) / 2, weights)
