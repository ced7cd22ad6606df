"""Scores of classes: checks, decisions, calibration."""

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.tasks.agreement import Decisions

_BINS = 15


def finite(scores: np.ndarray, name: str) -> np.ndarray:
    """Return scores, which must be numbers: an index of NaN would pass for the first class.

    Args:
        scores: (N, classes).
        name: What errors call the model.

    Raises:
        UserError: A score is NaN or infinite, or there is one class only.
    """
    wrong = ~np.isfinite(scores).all(axis=1)
    if wrong.any():
        raise UserError(
            f"{name} gives scores that are not numbers (NaN or infinite) for {wrong.sum():,} of "
            f"{len(scores):,} images."
        )
    if scores.shape[1] < 2:
        raise UserError(
            f"{name} has one score per image that is not a sigmoid; a sigmoid, or one score for "
            "each class, is needed."
        )
    return scores


def first_of(scores: np.ndarray, step: float) -> Decisions:
    """Return the first class of each picture, and its lead over the second.

    Args:
        scores: (N, classes).
        step: One LSB of the scores.
    """
    first = scores.argmax(axis=1)[:, None]
    ranked = np.sort(scores.astype(np.float64), axis=1)
    second = ranked[:, -2:-1].max(axis=1, initial=-np.inf)
    return Decisions(first, (ranked[:, -1] - second)[:, None] / step)


def top5(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the share of the pictures whose label has one of the five highest scores.

    None below six classes.
    """
    if scores.shape[1] <= 5:
        return None
    best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    return float((best == labels[:, None]).any(axis=1).mean())


def are_probabilities(scores: np.ndarray) -> bool:
    """Return whether all scores lie between 0 and 1, as probabilities do and logits do not."""
    # Float32 probabilities may exceed 1 by a rounding error.
    return bool(scores.min() >= 0 and scores.max() <= 1 + 1e-6)


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the expected calibration error (Guo et al., 2017, equation 3), 15 equal bins.

    This is the average difference between the score of the predicted class and the share of
    correct predictions among those with such a score. None if the scores are not probabilities.
    """
    if not are_probabilities(scores):
        return None
    confidence = scores.max(axis=1).astype(np.float64)
    correct = scores.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    error = float(np.abs(np.bincount(bins, correct - confidence)).sum() / len(labels))
    return min(error, 1.0)
