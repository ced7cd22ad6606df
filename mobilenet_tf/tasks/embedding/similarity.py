"""How well similar vectors stand for the same class: retrieval and verification.

All functions take unit vectors, float (N, dimension), and int labels (N,). The similarity of two
pictures is the cosine of their vectors, from -1 to 1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.dataset import balanced

FOLDS = 10
_PAIRS = 6000  # half of them of one class, as in Labeled Faces in the Wild
_THRESHOLDS = np.arange(0, 4, 0.01)  # squared distances
_CHUNK = 256  # pictures whose similarities with all others are in memory at once
_MOST = 2000  # pictures whose pairs the ROC curve counts: two million
_POINTS = 200  # of the ROC curve that is kept


class Retrieval(NamedTuple):
    """How N pictures find others of their class; NaN for those that are alone in it.

    Attributes:
        firsts: 1 where the most similar picture is of the class, 0 elsewhere.
        precisions: Average precision, without interpolation; equal similarities have one rank.
    """

    firsts: np.ndarray
    precisions: np.ndarray

    @property
    def recall(self) -> float:
        """Recall@1."""
        return float(np.nanmean(self.firsts))

    @property
    def precision(self) -> float:
        """Mean average precision."""
        return float(np.nanmean(self.precisions))


class Roc(NamedTuple):
    """Pairs that are accepted at each threshold, from the strictest to the loosest.

    Attributes:
        false_accepts: Share of the pairs of different classes.
        true_accepts: Share of the pairs of one class.
        thresholds: Lowest accepted similarity.
    """

    false_accepts: np.ndarray
    true_accepts: np.ndarray
    thresholds: np.ndarray


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (N, dimension) with length 1, float32; those of length 0 stay 0."""
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def check_pairs(labels: np.ndarray, name: str) -> None:
    """Reject labels with which there are no pairs to verify.

    Raises:
        UserError: All pictures are of one class, or no class has two.
    """
    _, counts = np.unique(labels, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise UserError(
            f"{name} cannot be evaluated on {len(labels):,} images of {len(counts)} classes; at "
            "least 2 classes are needed, one of them with 2 images."
        )


def retrieval(vectors: np.ndarray, labels: np.ndarray) -> Retrieval:
    """Let each picture search for others of its class among all others."""
    firsts, precisions = np.full((2, len(labels)), np.nan)
    for row, similarities in enumerate(_with_all(vectors)):
        others = np.arange(len(labels)) != row
        relevant = labels[others] == labels[row]
        if relevant.any():
            found = similarities[others]
            firsts[row] = relevant[found.argmax()]
            precisions[row] = average_precision(found, relevant)
    return Retrieval(firsts, precisions)


def nearest(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the other picture that is most similar to each picture.

    Returns:
        Its index, int (N,); its similarity; and that of the next, both (N,), -inf where there is no
        other.
    """
    index, first, second = np.empty(len(vectors), int), *np.empty((2, len(vectors)))
    for row, similarities in enumerate(_with_all(vectors)):
        similarities[row] = -np.inf
        index[row] = similarities.argmax()
        first[row] = similarities[index[row]]
        similarities[index[row]] = -np.inf
        second[row] = similarities.max()
    return index, first, second


def _with_all(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the similarities (N,) of each picture with all."""
    for start in range(0, len(vectors), _CHUNK):
        yield from vectors[start : start + _CHUNK] @ vectors.T


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Return the sum of precision times gain of recall over all distinct scores.

    Args:
        scores: (N,), the highest first in the ranking.
        relevant: bool (N,), some of them true.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = -scores[order], relevant[order]
    last = np.searchsorted(ranked, ranked, side="right")  # equal scores have one rank
    precision = np.cumsum(hits)[last - 1] / last
    return float(precision[hits].mean())


def verification_pairs(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return 6,000 pairs, half of them of one class, for `verification`.

    They depend on the labels alone, so that all forms of a network are asked the same. Few
    pictures have fewer pairs, which then occur several times.

    Returns:
        Indices (6000, 2) of pictures, and whether they are of one class, bool (6000,): in turn yes
        and no, so that each of ten equal folds has both alike.
    """
    random = np.random.default_rng(0)
    _, classes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(classes)[classes]
    same = np.tile([True, False], _PAIRS // 2)
    pairs = np.empty((_PAIRS, 2), int)
    paired = np.flatnonzero(sizes > 1)
    pairs[same, 0] = random.choice(paired, _PAIRS // 2)
    pairs[~same, 0] = random.integers(len(labels), size=_PAIRS // 2)
    for row, (first, one_class) in enumerate(zip(pairs[:, 0], same, strict=True)):
        fitting = (labels == labels[first]) == one_class
        fitting[first] = False
        pairs[row, 1] = random.choice(np.flatnonzero(fitting))
    return pairs, same


def verification(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy of telling whether two pictures are of one class (LFW's protocol).

    Each of ten folds is judged by the threshold of the squared distance, from 0 to 4 in steps of
    0.01, that is best for the other nine.
    """
    pairs, same = verification_pairs(labels)
    distances = np.square(vectors[pairs[:, 0]] - vectors[pairs[:, 1]]).sum(axis=1)
    correct = (distances[:, None] < _THRESHOLDS) == same[:, None]
    folds = np.array([fold.mean(axis=0) for fold in np.split(correct, FOLDS)])
    best = ((folds.sum(axis=0) - folds) / (FOLDS - 1)).argmax(axis=1)
    return float(folds[np.arange(FOLDS), best].mean())


def split_pairs(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarities of all pairs of one class, and of all pairs of different classes.

    Of more than 2,000 pictures, 2,000 are paired, balanced over the classes.
    """
    few = balanced(labels, _MOST, 0)
    vectors, labels = vectors[few], labels[few]
    first, second = np.triu_indices(len(labels), 1)
    similarities = (vectors @ vectors.T)[first, second]
    same = labels[first] == labels[second]
    return similarities[same], similarities[~same]


def threshold_at(different: np.ndarray, far: float) -> float | None:
    """Return the similarity that at most a share `far` of the pairs of strangers exceeds.

    None if there are too few pairs to tell, fewer than 1 / far.
    """
    if len(different) * far < 1:
        return None
    return float(np.sort(different)[::-1][min(int(len(different) * far), len(different) - 1)])


def true_accepts(same: np.ndarray, different: np.ndarray, far: float) -> float | None:
    """Return the share of pairs of one class above the threshold at a false accept rate (TAR)."""
    threshold = threshold_at(different, far)
    return None if threshold is None else float((same > threshold).mean())


def roc(same: np.ndarray, different: np.ndarray) -> Roc:
    """Return the receiver operating characteristic, at up to 200 thresholds."""
    scores = np.concatenate([same, different])
    thresholds = np.unique(scores)[::-1]
    if len(thresholds) > _POINTS:
        # Equal steps of the rank of strangers, dense where few of them are accepted.
        shares = np.concatenate([[0], np.geomspace(1 / len(different), 1, _POINTS - 1)])
        ranks = np.ceil(shares * (len(different) - 1)).astype(int)
        thresholds = np.unique(np.sort(different)[::-1][ranks])[::-1]
    false, true = (
        1 - np.searchsorted(np.sort(part), thresholds) / len(part) for part in (different, same)
    )
    return Roc(false, true, thresholds)
