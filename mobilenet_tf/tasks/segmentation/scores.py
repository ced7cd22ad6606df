"""Metrics of masks: one confusion of all pixels, and what follows from it."""

from typing import Any

import numpy as np

from mobilenet_tf.datasets.masks import IGNORED


def confusion(found: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Return the number of pixels by true (row) and predicted class; ignored pixels are left out.

    Args:
        found: uint8 (...) predicted classes.
        truth: uint8 (...) true classes, `IGNORED` where none is known.
        classes: Number of classes.
    """
    counted = truth != IGNORED
    pairs = truth[counted].astype(np.int64) * classes + found[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def overlaps(counts: np.ndarray) -> np.ndarray:
    """Return intersection over union of each class, NaN where neither mask has it."""
    correct = np.diag(counts).astype(float)
    union = counts.sum(axis=0) + counts.sum(axis=1) - correct
    return np.divide(correct, union, out=np.full(len(counts), np.nan), where=union > 0)


def mean_overlap(counts: np.ndarray) -> float:
    """Return the mean over the classes that occur; 0 if all pixels are ignored."""
    known = overlaps(counts)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else 0.0


def scores(counts: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Return the metrics of a confusion.

    Returns:
        miou, pixel_accuracy, per_class {name: {iou, precision, recall, pixels}} (None where a class
        does not occur), and confusion.
    """
    correct, true, found = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    total = int(counts.sum())

    def share(part: int, whole: int) -> float | None:
        return float(part / whole) if whole else None

    return {
        "miou": mean_overlap(counts),
        "pixel_accuracy": float(correct.sum() / total) if total else 0.0,
        "per_class": {
            name: {
                "iou": share(correct[index], true[index] + found[index] - correct[index]),
                "precision": share(correct[index], found[index]),
                "recall": share(correct[index], true[index]),
                "pixels": int(true[index]),
            }
            for index, name in enumerate(names)
        },
        "confusion": counts.tolist(),
    }
