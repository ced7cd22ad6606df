"""Metrics and thresholds of one label, from scores of which higher is likelier."""

from typing import NamedTuple

import numpy as np

NEUTRAL = 0.5  # threshold of a label about which validation says nothing
_EDGE = 1e-6  # thresholds stay this far from 0 and 1


class Curve(NamedTuple):
    """Precision and recall at every distinct score, from the highest to the lowest.

    Attributes:
        scores: Distinct scores, falling.
        found: Number of pictures with such a score or a higher one.
        correct: Number of those that have the label.
    """

    scores: np.ndarray
    found: np.ndarray
    correct: np.ndarray


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) as float64, which no logit overflows."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, np.float64)))


def logit(probabilities: np.ndarray) -> np.ndarray:
    """Return the inverse of `sigmoid` for probabilities between 0 and 1."""
    values = np.asarray(probabilities, np.float64)
    return np.log(values) - np.log1p(-values)


def curve(scores: np.ndarray, has_label: np.ndarray) -> Curve:
    """Return how many pictures each score finds.

    Args:
        scores: (N,), N at least 1.
        has_label: bool (N,).
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of each distinct score
    return Curve(ranked[last], last + 1, np.cumsum(has_label[order])[last])


def average_precision(scores: np.ndarray, has_label: np.ndarray) -> float | None:
    """Return the sum of precision times gain in recall, as scikit-learn defines it.

    None where no picture has the label.
    """
    if not has_label.any():
        return None
    found = curve(scores, has_label)
    gains = np.diff(found.correct, prepend=0) / found.correct[-1]
    return min(float((gains * found.correct / found.found).sum()), 1.0)  # the sum is rounded


def best_threshold(probabilities: np.ndarray, has_label: np.ndarray) -> float:
    """Return the threshold with the highest F1, halfway between two scores.

    Of several, the one that finds the fewest pictures. `NEUTRAL` where no picture has the label.
    """
    if not has_label.any():
        return NEUTRAL
    found = curve(probabilities, has_label)
    best = int(np.argmax(2 * found.correct / (found.found + found.correct[-1])))
    below = found.scores[best + 1] if best + 1 < len(found.scores) else 0.0
    return float(np.clip((found.scores[best] + below) / 2, _EDGE, 1 - _EDGE))


def f1(correct: int, predicted: int, present: int) -> float | None:
    """Return the harmonic mean of precision and recall; None where both are undefined.

    Args:
        correct: Number of pictures for which a label was predicted that they have.
        predicted: Number for which it was predicted.
        present: Number that have it.
    """
    return float(2 * correct / (predicted + present)) if predicted + present else None
