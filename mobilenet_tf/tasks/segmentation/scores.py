"""Metrics of masks: one confusion of all pixels, and what follows from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.tasks.segmentation.masks import colour


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


def scores(counts: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Return the metrics of a confusion.

    Returns:
        miou, pixel_accuracy, and tables: the classes, and where the pixels of each one went.
    """
    total = int(counts.sum())
    return {
        "miou": mean_overlap(counts),
        "pixel_accuracy": float(np.trace(counts) / total) if total else 0.0,
        "tables": [_classes(counts, names), _destinations(counts, names)],
        "charts": [],
    }


def _classes(counts: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    correct, true, found = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    rows = [
        [
            name,
            "#" + bytes(colour(index)).hex(),
            _share(correct[index], true[index] + found[index] - correct[index]),
            _share(correct[index], found[index]),
            _share(correct[index], true[index]),
            int(true[index]),
        ]
        for index, name in enumerate(names)
    ]
    return {
        "title": "Classes",
        "note": "Intersection over union, precision and recall of the pixels of each class; the "
        "colour is that of the masks in the pictures.",
        "columns": ["class", "colour", "IoU", "precision", "recall", "pixels"],
        "rows": rows,
        "shares": ["IoU", "precision", "recall"],
    }


def _destinations(counts: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    # A class may be called as the first column is.
    columns = ["true class", *(f"as {name}" for name in names)]
    whole = counts.sum(axis=1)
    rows = [
        [name, *(_share(part, whole[index]) for part in counts[index])]
        for index, name in enumerate(names)
    ]
    return {
        "title": "Confusion of pixels",
        "note": "Share of the pixels of a true class that were marked as each class.",
        "columns": columns,
        "rows": rows,
        "shares": columns[1:],
    }


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
