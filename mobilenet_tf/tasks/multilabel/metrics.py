"""Metrics of several labels per picture, with a table and a chart of each label."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mobilenet_tf.tasks.multilabel.scores import average_precision, curve, f1

_COLUMNS = ("label", "average precision", "F1", "precision", "recall", "threshold", "images")
_LINES, _POINTS = 10, 100  # of the chart


def measured(
    scores: np.ndarray,
    predicted: np.ndarray,
    present: np.ndarray,
    thresholds: np.ndarray,
    classes: Sequence[str],
) -> dict[str, Any]:
    """Return the metrics of decisions about labels; see `MultiLabel.metrics`.

    Args:
        scores: (N, classes), of which higher is likelier.
        predicted: bool (N, classes), which labels were predicted.
        present: bool (N, classes), which labels the pictures have.
        thresholds: (classes,), from which probability a label was predicted.
        classes: Names of the labels.
    """
    precisions = [average_precision(*one) for one in zip(scores.T, present.T, strict=True)]
    found = [_found(*one) for one in zip(predicted.T, present.T, strict=True)]
    images = present.sum(axis=0).tolist()
    rows = zip(classes, precisions, found, thresholds.tolist(), images, strict=True)
    return {
        "images": len(scores),
        "map": _mean(precisions),
        "f1_macro": _mean([one[0] for one in found]),
        "f1_micro": _found(predicted, present)[0],
        "exact": float((predicted == present).all(axis=1).mean()),
        "tables": [
            {
                "title": "Labels",
                "note": "Precision and recall are those from the threshold on.",
                "columns": _COLUMNS,
                "rows": [
                    (name, area, *one, threshold, n) for name, area, one, threshold, n in rows
                ],
                "shares": _COLUMNS[1:-1],
            }
        ],
        "charts": _curves(scores, present, classes),
    }


def _found(
    predicted: np.ndarray, present: np.ndarray
) -> tuple[float | None, float | None, float | None]:
    """Return F1, precision and recall of bool arrays of one shape."""
    correct, found, all_of_it = (
        int(one.sum()) for one in (predicted & present, predicted, present)
    )
    return (
        f1(correct, found, all_of_it),
        correct / found if found else None,
        correct / all_of_it if all_of_it else None,
    )


def _curves(
    scores: np.ndarray, present: np.ndarray, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the chart of precision against recall of the labels that some pictures have."""
    lines = {}
    for index in np.flatnonzero(present.any(axis=0))[:_LINES].tolist():
        found = curve(scores[:, index], present[:, index])
        recall, precision = found.correct / found.correct[-1], found.correct / found.found
        few = np.unique(np.linspace(0, len(recall) - 1, _POINTS).round().astype(int))
        lines[classes[index]] = np.stack([recall, precision], axis=1)[few].round(4).tolist()
    note = f"Of the first {_LINES} labels." if len(classes) > _LINES else ""
    title = "Precision and recall"
    return [{"title": title, "note": note, "x": "recall", "y": "precision", "lines": lines}]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
