"""Product quantization: the vectors that a kernel's rows are cut into become those of a codebook.

Wu et al., "Quantized Convolutional Neural Networks for Mobile Devices" (Q-CNN, 2016). There every
part of the inputs has a codebook of its own. Here one serves the whole kernel: in small networks,
a codebook for each part would be larger than the places in it.

A row has the weights of one output channel, in shares of the channel's range.
"""

from dataclasses import dataclass

import numpy as np

_MOST_ROUNDS = 50  # of k-means
_CORRECTIONS = 3  # rounds of error correction; later ones hardly change anything
_DAMPING = 0.01  # share of the moments' mean diagonal that is added to it
_CHUNK = 1 << 14  # vectors that are compared with a codebook at once


@dataclass(frozen=True, eq=False)
class Vectors:
    """Rows of weights as a codebook and places in it.

    Attributes:
        codebook: float64 (k, length).
        places: (rows, parts): the vector of the codebook for each part of a row.
    """

    codebook: np.ndarray
    places: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The rows, float64 (rows, parts * length)."""
        return self.codebook[self.places].reshape(len(self.places), -1)


def product_quantize(rows: np.ndarray, count: int, length: int, seed: int = 0) -> Vectors:
    """Cut rows into vectors and cluster these by k-means.

    Args:
        rows: (rows, inputs); `length` divides the number of inputs.
        count: The most vectors in the codebook.
        length: Weights in a vector.
        seed: Of the vectors with which the codebook begins.
    """
    vectors = np.asarray(rows, np.float64).reshape(-1, length)
    distinct = np.unique(vectors, axis=0)
    random = np.random.default_rng(seed)
    codebook = distinct[random.permutation(len(distinct))[:count]]
    places = nearest(vectors, codebook)
    for _ in range(_MOST_ROUNDS if len(distinct) > count else 0):
        sizes = np.bincount(places, minlength=count)
        sums = np.stack([np.bincount(places, column, count) for column in vectors.T], axis=1)
        # A vector that is nearest to none stays where it is.
        means = sums / np.maximum(sizes, 1)[:, None]
        codebook = np.where(sizes[:, None] > 0, means, codebook)
        before, places = places, nearest(vectors, codebook)
        if np.array_equal(before, places):
            break
    return Vectors(codebook, places.reshape(len(rows), -1))


def nearest(vectors: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Return the place of the nearest vector of a codebook for each of (n, length)."""
    lengths = (codebook**2).sum(axis=1)
    return np.concatenate(
        [
            (lengths - 2 * vectors[start : start + _CHUNK] @ codebook.T).argmin(axis=1)
            for start in range(0, len(vectors), _CHUNK)
        ]
    )


def correct_errors(
    vectors: Vectors, rows: np.ndarray, moments: np.ndarray, cross: np.ndarray, ranges: np.ndarray
) -> Vectors:
    """Choose places and codebook again so that the layer's responses change least (section 3.3).

    The squared error of the responses needs no inputs beside their moments. Places are chosen part
    by part among all vectors of the codebook while the other parts stay (equation 17); then
    each vector of the codebook is the least-squares solution for its places (equation 15).

    Args:
        vectors: The start.
        rows: The exact weights, (rows, inputs).
        moments: Second moments of what the layer reads, E[x x'], (inputs, inputs).
        cross: E[y x'] with what it read before its predecessors were quantized, y.
        ranges: (rows,): the range of each row, by which its error counts.
    """
    size = len(moments)
    # Inputs that hardly occur leave their weights free: these stay near the exact ones.
    damping = np.eye(size) * max(_DAMPING * np.trace(moments) / size, 1e-12)
    moments, wanted = moments + damping, rows @ (cross + damping)
    codebook, places = vectors.codebook.copy(), vectors.places.copy()
    error = wanted - vectors.rows @ moments  # minus half the gradient by each weight
    for _ in range(_CORRECTIONS):
        _choose_places(codebook, places, moments, error)
        _fit_codebook(codebook, places, moments, error, ranges**2)
    return Vectors(codebook, places)


def _choose_places(
    codebook: np.ndarray, places: np.ndarray, moments: np.ndarray, error: np.ndarray
) -> None:
    """Choose the places, part by part; `places` and `error` are changed."""
    length = codebook.shape[1]
    for part in range(places.shape[1]):
        own = slice(part * length, (part + 1) * length)
        block, before = moments[own, own], codebook[places[:, part]]
        pull = error[:, own] + before @ block
        energy = np.einsum("ka,ab,kb->k", codebook, block, codebook)
        places[:, part] = (energy - 2 * pull @ codebook.T).argmin(axis=1)
        error -= (codebook[places[:, part]] - before) @ moments[own]


def _fit_codebook(
    codebook: np.ndarray,
    places: np.ndarray,
    moments: np.ndarray,
    error: np.ndarray,
    importance: np.ndarray,
) -> None:
    """Solve for one vector of the codebook after the other; it and `error` are changed."""
    count, length = codebook.shape
    parts = places.shape[1]
    blocks = moments.reshape(parts, length, parts, length)
    pairs = np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).reshape(parts * parts, -1)
    for number in range(count):
        member = (places == number).astype(np.float64)
        if not member.any():
            continue
        weighted = member * importance[:, None]
        matrix = ((weighted.T @ member).reshape(-1) @ pairs).reshape(length, length)
        pull = np.einsum("rp,rpa->a", weighted, error.reshape(*places.shape, length))
        # Values beyond the range would be cut off.
        moved = np.clip(codebook[number] + np.linalg.solve(matrix, pull), -1.0, 1.0)
        step = moved - codebook[number]
        error -= member @ np.einsum("a,pai->pi", step, moments.reshape(parts, length, -1))
        codebook[number] = moved
