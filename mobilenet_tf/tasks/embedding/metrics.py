"""Metrics of an embedder as sections of `result.json`, and its worst results."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.tasks.embedding.similarity import (
    Retrieval,
    Roc,
    nearest,
    retrieval,
    roc,
    split_pairs,
    true_accepts,
    verification,
)
from mobilenet_tf.tasks.worst import Mistakes, worst_first


def metrics_of(
    vectors: np.ndarray, labels: np.ndarray, classes: Sequence[str], threshold: float | None
) -> dict[str, Any]:
    """Return what `Embedding.metrics` returns for unit vectors."""
    same, different = split_pairs(vectors, labels)
    found = retrieval(vectors, labels)
    rates: list[float | None] = [None, None]
    if threshold is not None:
        rates = [float((part > threshold).mean()) for part in (same, different)]
    return {
        "images": len(labels),
        "verification": verification(vectors, labels),
        "recall_at_1": found.recall,
        "map": found.precision,
        "true_accepts_1e2": true_accepts(same, different, 1e-2),
        "true_accepts_1e3": true_accepts(same, different, 1e-3),
        "accepted": rates[0],
        "strangers": rates[1],
        "tables": [_by_class(found, labels, classes)],
        "charts": [_roc_chart(roc(same, different))],
    }


def most_similar_strangers(test: Split, classes: Sequence[str], vectors: np.ndarray) -> Mistakes:
    """Return the pictures whose most similar picture is of another class, both side by side."""
    others, similarity, _ = nearest(vectors)
    found = Mistakes([], {})
    for row in worst_first(similarity, test.labels != test.labels[others]):
        other = others[row]
        found.add(
            test.names[row],
            np.hstack([test.images[row], test.images[other]]),
            note=f"{classes[test.labels[row]]}; most similar, {similarity[row]:.3f}: "
            f"{test.names[other]}, {classes[test.labels[other]]}",
            title="Most similar strangers",
        )
    return found


def _by_class(found: Retrieval, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    rows: list[list[str | int | float | None]] = []
    for label in np.unique(labels):
        of_class = labels == label
        count = int(of_class.sum())
        one = [found.firsts, found.precisions]
        means = [float(values[of_class].mean()) for values in one] if count > 1 else [None, None]
        rows.append([classes[label], count, *means])
    return {
        "title": "Classes that were never trained",
        "note": "How each image finds others of its class among all test images.",
        "columns": ["class", "images", "recall@1", "average precision"],
        "rows": rows,
        "shares": ["recall@1", "average precision"],
    }


def _roc_chart(curve: Roc) -> dict[str, Any]:
    points = zip(curve.false_accepts.tolist(), curve.true_accepts.tolist(), strict=True)
    return {
        "title": "Receiver operating characteristic",
        "note": "Pairs of test images that are accepted at each threshold.",
        "x": "strangers accepted",
        "y": "pairs of one class accepted",
        "lines": {"int8": [[x, y] for x, y in points if x > 0]},
        "logarithmic": True,
    }
