"""Metrics of scores, and of a `.tflite` on labelled images. Needs no TensorFlow."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import announce
from mobilenet_tf.datasets.contents import classes_text, left_out_text
from mobilenet_tf.datasets.corruptions import CORRUPTIONS, Corrupted
from mobilenet_tf.datasets.dataset import Progress, Split
from mobilenet_tf.datasets.load import load_test
from mobilenet_tf.deployment.proof.opening import NOTHING_STATED, Stated, model_input, open_model
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.order import require_order

_CHUNK, _CHUNK_BYTES = 64, 1 << 20  # pictures that are run at once: at least, and for small ones
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


def are_probabilities(scores: np.ndarray) -> bool:
    """Return whether all scores lie between 0 and 1, as probabilities do and logits do not."""
    # Float32 probabilities may exceed 1 by a rounding error.
    return bool(scores.min() >= 0 and scores.max() <= 1 + 1e-6)


def metrics(
    scores: np.ndarray, labels: np.ndarray, classes: Sequence[str], name: str = "The model"
) -> dict[str, Any]:
    """Return accuracy, calibration and confusion of scores.

    Args:
        scores: (N, classes) probabilities, or other reals of which higher is likelier.
        labels: (N,) true classes.
        classes: Class names.
        name: What errors call the model.

    Raises:
        UserError: See `finite`.

    Returns:
        images, accuracy, top5 (None below six classes), calibration_error (None for scores that
        are not probabilities), per_class {name: {precision, recall, images}} and confusion (rows
        are true classes).
    """
    predicted = finite(scores, name).argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (labels, predicted), 1)
    correct = np.diag(confusion)
    of_class, predicted_as = confusion.sum(axis=1), confusion.sum(axis=0)
    top5 = None
    if len(classes) > 5:
        best = np.argsort(-scores, axis=1, kind="stable")[:, :5]
        top5 = float((best == labels[:, None]).any(axis=1).mean())
    return {
        "images": len(labels),
        "accuracy": float((predicted == labels).mean()),
        "top5": top5,
        "calibration_error": calibration_error(scores, labels),
        "per_class": {
            name: {
                "precision": _share(correct[index], predicted_as[index]),
                "recall": _share(correct[index], of_class[index]),
                "images": int(of_class[index]),
            }
            for index, name in enumerate(classes)
        },
        "confusion": confusion.tolist(),
    }


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


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


def sections(by_form: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the sections of `result.json` from the `metrics` of each form of a network.

    Args:
        by_form: Form, such as float or int8 -> `metrics`; int8 is needed.
    """
    shares = ("accuracy", "top5", "calibration_error")
    return {
        **{key: {form: value[key] for form, value in by_form.items()} for key in shares},
        "per_class": by_form["int8"]["per_class"],
        "confusion": by_form["int8"]["confusion"],
    }


def run_all(model: TFLiteModel, pixels: np.ndarray, title: str) -> np.ndarray:
    """Return the file's raw outputs for uint8 (N, h, w, c), showing a progress bar."""
    with picture_progress(title) as progress:
        return _run(model, pixels, progress)


def _run(model: TFLiteModel, pixels: np.ndarray | Corrupted, progress: Progress) -> np.ndarray:
    outputs = []
    chunk = max(_CHUNK, _CHUNK_BYTES // prod(model.input.shape[1:]))
    for start in range(0, len(pixels), chunk):
        outputs.append(model.run_raw(np.asarray(pixels[start : start + chunk])))
        progress(min(start + chunk, len(pixels)), len(pixels))
    return np.concatenate(outputs)


def evaluate_file(
    path: str | Path,
    source: str,
    seed: int = 0,
    robustness: bool = False,
    stated: Stated = NOTHING_STATED,
) -> dict[str, Any]:
    """Evaluate a file on the images of a source, as `load_test` returns them.

    Returns:
        As `evaluate`, with file, source and skipped.

    Raises:
        UserError: The file or the source cannot be read, they do not fit together, or the labels in
            the file are in another order than its outputs.
    """
    model, labels = open_model(path, stated)
    with picture_progress(f"Reading {source}") as progress:
        loaded = load_test(source, labels, model_input(model), seed, progress)
    split, skipped = loaded.images, loaded.skipped
    present = [labels[label] for label in sorted(set(split.labels.tolist()))]
    counted = f"{source}: {classes_text(present)}; {len(split):,} images to evaluate on"
    announce("; ".join([counted, *left_out_text(skipped), *loaded.notes]) + ".")
    found = evaluate(model, split, labels, seed, robustness)
    if stated.labels is None:
        require_order(
            found["confusion"],
            labels,
            str(path),
            "Give the class names in the order of its outputs with --labels FILE.",
        )
    return {"file": str(path), "source": source, **found, "skipped": skipped}


def evaluate(
    model: TFLiteModel,
    split: Split,
    labels: Sequence[str],
    seed: int = 0,
    robustness: bool = False,
) -> dict[str, Any]:
    """Return `metrics` of a file on images, and on damaged copies of them.

    Args:
        model: The file.
        split: Images at the size of the file's input.
        labels: Class names.
        seed: Seed of the damage.
        robustness: Whether to evaluate damaged copies too.

    Returns:
        As `metrics`; with `robustness` also a list of that name, which has `metrics` with
        corruption, strength and unit for each of `CORRUPTIONS` and their strengths.
    """
    sets: list[tuple[dict[str, Any], np.ndarray | Corrupted]] = [({}, split.images)]
    for kind in CORRUPTIONS if robustness else ():
        for strength in kind.strengths:
            facts = {"corruption": kind.name, "strength": strength, "unit": kind.unit}
            sets.append((facts, Corrupted(split.images, kind, strength, seed)))
    found: list[dict[str, Any]] = []
    with picture_progress("Evaluating") as progress:
        for facts, pixels in sets:
            raw = _run(model, pixels, _part_of(progress, len(found), len(sets)))
            scores = model.class_scores(raw)
            found.append(facts | metrics(scores, split.labels, labels, model.name))
    clean, *copies = found
    return clean | {"robustness": copies} if copies else clean


def _part_of(progress: Progress, part: int, parts: int) -> Progress:
    """A progress callback for one of several equal parts of the work."""
    return lambda done, total: progress(part * total + done, parts * total)
