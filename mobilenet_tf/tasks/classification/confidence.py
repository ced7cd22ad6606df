"""What the scores of a classifier mean: temperature, and the score below which none is right.

A file's scores stay as they are. Temperature and threshold belong to decoding: they are chosen on
validation images and travel in the file's metadata.
"""

from typing import Any

import numpy as np

from mobilenet_tf.tasks.scores import are_probabilities, calibration_error

COLDEST, HOTTEST = 0.25, 4.0
_STEPS = 97  # of the search, a factor of 1.03 each
_FLOOR = 1 / 512  # half a step of an int8 file's scores: what 0 may have been
_LOST = 0.05  # share of right predictions that a threshold may reject
FEWEST = 20  # right predictions to choose temperature and threshold from
NONE = "none of these"  # how an image below the threshold is shown, in the app and the page too
_MARGIN = 5e-6  # below the score that decides, so that rounding elsewhere decides alike
_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
_CALIBRATION = ("temperature", "calibration error without it", "with it", "threshold")
_COLUMNS = ("accepted", "smallest score", "coverage", "accuracy")
_POINTS = 100  # of the chart


def tempered(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities at another temperature (Guo et al., 2017, section 4.2), float32.

    softmax(z / T) is p^(1/T) divided by its sum, so the logits z are not needed.

    Args:
        scores: Probabilities (N, classes).
        temperature: T; above 1 for less confident scores.
    """
    if temperature == 1:
        return scores
    largest = scores.max(axis=1, keepdims=True).astype(np.float64)
    powers = (scores / np.where(largest > 0, largest, 1)) ** (1 / temperature)
    total = powers.sum(axis=1, keepdims=True)
    found: np.ndarray = (powers / np.where(total > 0, total, 1)).astype(np.float32)
    return found


def best_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the smallest negative log-likelihood, from 0.25 to 4.

    The targets are those of Platt (1999, section 2.2), a little below 1. Otherwise images that are
    all classified correctly would make the scores as sure as they can be.

    Args:
        scores: Probabilities (N, classes).
        labels: int64 (N,).
    """
    steps = np.geomspace(COLDEST, HOTTEST, _STEPS).round(3).tolist()
    of_labels = np.arange(len(labels)), labels
    target = (len(labels) + 1) / (len(labels) + 2)

    def loss(temperature: float) -> float:
        p = tempered(scores, temperature)[of_labels].astype(np.float64).clip(_FLOOR, 1 - 1e-6)
        return float(-(target * np.log(p) + (1 - target) * np.log1p(-p)).mean())

    # Of equal ones, the nearest to 1: it changes the scores least.
    return min(steps, key=lambda one: (round(loss(one), 9), abs(np.log(one))))


def rejection_threshold(right: np.ndarray, other: np.ndarray | None) -> float:
    """Return the score below which an image shows none of the classes.

    Without images of something else, 95 % of the right predictions are kept. With them, the
    threshold separates best: the sum of both shares that are decided correctly is the largest.

    Args:
        right: Scores of right predictions on validation images.
        other: Scores of images that show none of the classes.
    """
    if other is None:
        least = float(np.quantile(right, _LOST, method="lower"))
    else:
        levels = np.unique(np.concatenate([right, other]))
        kept = 1 - np.searchsorted(np.sort(right), levels) / len(right)
        passed = 1 - np.searchsorted(np.sort(other), levels) / len(other)
        least = float(levels[np.argmax(kept - passed)])
    return max(0.0, round(least - _MARGIN, 6))


def auroc(own: np.ndarray, other: np.ndarray) -> float:
    """Return how often one of `own` is larger than one of `other`; equal ones count as half."""
    ordered = np.sort(other)
    below, up_to = (np.searchsorted(ordered, own, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(other))


def coverage(
    outputs: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    temperature: float,
    threshold: float,
) -> dict[str, Any]:
    """Return accuracy against coverage, as tables and charts for `result.json`.

    There are none without a threshold.

    Args:
        outputs: Probabilities (N, classes) as the file gives them.
        scores: The same at the temperature.
        labels: int64 (N,).
        temperature: That of the file.
        threshold: That of the file.
    """
    if not threshold or not are_probabilities(outputs):
        return {"tables": [], "charts": []}
    confidence = scores.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    correct = (scores.argmax(axis=1) == labels)[order]
    accuracies = np.cumsum(correct) / np.arange(1, len(order) + 1)

    def row(title: str, least: float | None, count: int) -> tuple[str | float | None, ...]:
        accuracy = float(accuracies[count - 1]) if count else None
        return title, least, count / len(order), accuracy

    counts = [(share, max(1, round(share * len(order)))) for share in _COVERAGES]
    rows = [row("the file's threshold", threshold, int((confidence >= threshold).sum()))]
    rows += [
        row(f"{share:.0%} of the images", round(float(confidence[order[count - 1]]), 4), count)
        for share, count in counts
    ]
    few = np.unique(np.linspace(0, len(order) - 1, _POINTS).round().astype(int))
    points = np.stack([(few + 1) / len(order), accuracies[few]], axis=1).round(4)
    errors = [calibration_error(one, labels) for one in (outputs, scores)]
    calibration = {
        "title": "Scores",
        "note": "Temperature and threshold were chosen on validation images, with the int8 file.",
        "columns": _CALIBRATION,
        "rows": [(temperature, *errors, threshold)],
        "shares": _CALIBRATION[1:3],
    }
    table = {
        "title": "Coverage and accuracy",
        "note": f"Images with lower scores count as {NONE}.",
        "columns": _COLUMNS,
        "rows": rows,
        "shares": _COLUMNS[2:],
    }
    chart = {
        "title": "Accuracy of the surest images",
        "note": "Of the images with the highest scores, from few to all.",
        "x": "coverage",
        "y": "accuracy",
        "lines": {"int8 file": points.tolist()},
    }
    return {"tables": [calibration, table], "charts": [chart]}
