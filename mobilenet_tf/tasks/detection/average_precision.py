"""Average precision of boxes, as pycocotools measures it (COCO)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mobilenet_tf.tasks.detection.boxes import areas, overlaps
from mobilenet_tf.tasks.detection.decoding import Found

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
# Areas of boxes in pixels, from and to.
AREAS = {"all": (0, 1e10), "small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
_MOST = 100  # boxes of one class per picture that count


class Truth(NamedTuple):
    """The objects in one picture.

    Attributes:
        boxes: (N, 4) edges.
        classes: int (N,).
        crowd: bool (N,): regions that count neither as found nor as missed.
    """

    boxes: np.ndarray
    classes: np.ndarray
    crowd: np.ndarray


class _Pairs(NamedTuple):
    """The boxes of one class in one picture beside its objects; D boxes, the likeliest first.

    Attributes:
        scores: (D,) scores of the boxes.
        areas: (D,) areas of the boxes.
        objects: (N,) areas of the objects.
        crowd: bool (N,), as in `Truth`.
        overlap: (D, N) intersection over union.
    """

    scores: np.ndarray
    areas: np.ndarray
    objects: np.ndarray
    crowd: np.ndarray
    overlap: np.ndarray

    def ignored(self, area: tuple[float, float]) -> np.ndarray:
        """Return whether each object does not count: a region, or an area outside the range."""
        return self.crowd | _outside(self.objects, area)


class _Matches(NamedTuple):
    """What became of the boxes of one class in one picture; T thresholds.

    Attributes:
        scores: (D,) scores of the boxes.
        right: bool (T, D): whether each found an object.
        ignored: bool (T, D): whether it counts neither as right nor as wrong.
    """

    scores: np.ndarray
    right: np.ndarray
    ignored: np.ndarray


def precision_curves(
    truth: Sequence[Truth], found: Sequence[Found], classes: int
) -> dict[str, np.ndarray]:
    """Return the precision at each recall: the largest at this recall or a higher one.

    Args:
        truth: Objects of each picture, in pixels.
        found: Boxes found in each picture, in pixels.
        classes: Number of classes.

    Returns:
        Range of `AREAS` -> float64 (thresholds, recalls, classes), of the objects whose areas lie
        in it; NaN for a class of which no object counts.
    """
    shape = len(THRESHOLDS), len(RECALLS), classes
    curves = {name: np.full(shape, np.nan) for name in AREAS}
    for label in range(classes):
        pairs = [_paired(*both, label) for both in zip(truth, found, strict=True)]
        for name, area in AREAS.items():
            objects = sum(int((~one.ignored(area)).sum()) for one in pairs)
            if objects:
                matches = [_match(one, area) for one in pairs]
                curves[name][:, :, label] = _curves(matches, objects)
    return curves


def average_precision(curves: np.ndarray) -> float | None:
    """Return the mean of curves over all that count; None if none does."""
    return None if np.isnan(curves).all() else float(np.nanmean(curves))


def _outside(values: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    return (values < bounds[0]) | (values > bounds[1])


def _paired(truth: Truth, found: Found, label: int) -> _Pairs:
    wanted, named = truth.classes == label, found.classes == label
    order = np.argsort(-found.scores[named], kind="mergesort")[:_MOST]
    boxes = found.boxes[named][order].astype(np.float64)
    objects, crowd = truth.boxes[wanted].astype(np.float64), truth.crowd[wanted]
    return _Pairs(
        found.scores[named][order],
        areas(boxes),
        areas(objects),
        crowd,
        overlaps(boxes, objects, crowd),
    )


def _match(pairs: _Pairs, area: tuple[float, float]) -> _Matches:
    ignored = pairs.ignored(area)
    first = np.argsort(ignored, kind="mergesort")  # objects that count are tried first
    crowd, ignored, overlap = pairs.crowd[first], ignored[first], pairs.overlap[:, first]
    right = np.zeros((len(THRESHOLDS), len(pairs.scores)), bool)
    neutral = np.zeros_like(right)
    free = np.ones((len(THRESHOLDS), len(ignored)), bool)
    for index in np.flatnonzero((overlap >= THRESHOLDS[0]).any(axis=1)):
        row = overlap[index]
        near = (free | crowd) & (row >= THRESHOLDS[:, np.newaxis])
        counting = near & ~ignored
        near = np.where(counting.any(axis=1, keepdims=True), counting, near)
        # The last of equals is found, as in pycocotools.
        best = len(ignored) - 1 - np.where(near, row, -1.0)[:, ::-1].argmax(axis=1)
        found_one = near.any(axis=1)
        right[:, index], neutral[:, index] = found_one, found_one & ignored[best]
        free[found_one, best[found_one]] = False
    return _Matches(pairs.scores, right, neutral | (~right & _outside(pairs.areas, area)))


def _curves(matches: Sequence[_Matches], objects: int) -> np.ndarray:
    """Return the precision (thresholds, recalls) of one class."""
    scores = np.concatenate([match.scores for match in matches])
    order = np.argsort(-scores, kind="mergesort")
    right = np.concatenate([match.right for match in matches], axis=1)[:, order]
    ignored = np.concatenate([match.ignored for match in matches], axis=1)[:, order]
    hits = np.cumsum(right & ~ignored, axis=1).astype(float)
    misses = np.cumsum(~right & ~ignored, axis=1).astype(float)
    precision = hits / (hits + misses + np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    curves = np.zeros((len(THRESHOLDS), len(RECALLS)))
    for row, recall in enumerate(hits / objects):
        places = np.searchsorted(recall, RECALLS, side="left")
        reached = places < len(recall)
        curves[row, reached] = envelope[row, places[reached]]
    return curves
