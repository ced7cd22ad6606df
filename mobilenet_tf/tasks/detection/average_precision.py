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
    truth: Sequence[Truth],
    found: Sequence[Found],
    classes: int,
    area: tuple[float, float] = AREAS["all"],
) -> np.ndarray:
    """Return the precision at each recall: the largest at this recall or a higher one.

    Args:
        truth: Objects of each picture, in pixels.
        found: Boxes found in each picture, in pixels.
        classes: Number of classes.
        area: Smallest and largest area of the objects that count, in pixels.

    Returns:
        float64 (thresholds, recalls, classes); NaN for a class of which no object counts.
    """
    curves = np.full((len(THRESHOLDS), len(RECALLS), classes), np.nan)
    counting = [one.classes[~_ignored(one, area)] for one in truth]
    for label in range(classes):
        objects = sum(int((labels == label).sum()) for labels in counting)
        if not objects:
            continue
        matches = [
            _match(
                Truth(*(values[one.classes == label] for values in one)),
                Found(*(values[other.classes == label] for values in other)),
                area,
            )
            for one, other in zip(truth, found, strict=True)
        ]
        curves[:, :, label] = _curves(matches, objects)
    return curves


def average_precision(curves: np.ndarray) -> float | None:
    """Return the mean of curves over all that count; None if none does."""
    return None if np.isnan(curves).all() else float(np.nanmean(curves))


def _ignored(truth: Truth, area: tuple[float, float]) -> np.ndarray:
    """Return whether each object does not count: a region, or an area outside the range."""
    sides = areas(truth.boxes.astype(np.float64))
    return truth.crowd | (sides < area[0]) | (sides > area[1])


def _match(truth: Truth, found: Found, area: tuple[float, float]) -> _Matches:
    order = np.argsort(-found.scores, kind="mergesort")[:_MOST]
    boxes, scores = found.boxes[order].astype(np.float64), found.scores[order]
    objects, ignored = truth.boxes.astype(np.float64), _ignored(truth, area)
    first = np.argsort(ignored, kind="mergesort")  # objects that count are tried first
    objects, crowd, ignored = objects[first], truth.crowd[first], ignored[first]
    overlap = overlaps(boxes, objects, crowd)
    right = np.zeros((len(THRESHOLDS), len(boxes)), bool)
    neutral = np.zeros_like(right)
    free = np.ones((len(THRESHOLDS), len(objects)), bool)
    for index in np.flatnonzero((overlap >= THRESHOLDS[0]).any(axis=1)):
        row = overlap[index]
        near = (free | crowd) & (row >= THRESHOLDS[:, np.newaxis])
        counting = near & ~ignored
        near = np.where(counting.any(axis=1, keepdims=True), counting, near)
        # The last of equals is found, as in pycocotools.
        best = len(objects) - 1 - np.where(near, row, -1.0)[:, ::-1].argmax(axis=1)
        found_one = near.any(axis=1)
        right[:, index], neutral[:, index] = found_one, found_one & ignored[best]
        free[found_one, best[found_one]] = False
    outside = (areas(boxes) < area[0]) | (areas(boxes) > area[1])
    return _Matches(scores, right, neutral | (~right & outside))


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
