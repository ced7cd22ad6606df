"""Metrics of a `.tflite` on labelled images. Needs no TensorFlow."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs, joined
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import announce
from mobilenet_tf.datasets.contents import classes_text, left_out_text, reasons_text
from mobilenet_tf.datasets.corruptions import CORRUPTIONS, Corrupted
from mobilenet_tf.datasets.dataset import Progress, Split
from mobilenet_tf.deployment.proof.opening import (
    NOTHING_STATED,
    Stated,
    model_input,
    open_model,
    task_of,
)
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.order import require_order
from mobilenet_tf.tasks.registry import metadata_of

_CHUNK, _CHUNK_BYTES = 64, 1 << 20  # pictures that are run at once: at least, and for small ones


def run_all(model: TFLiteModel, pixels: np.ndarray, title: str) -> Outputs:
    """Return the file's raw outputs for uint8 (N, h, w, c), showing a progress bar."""
    with picture_progress(title) as progress:
        return _run(model, pixels, progress)


def _run(model: TFLiteModel, pixels: np.ndarray | Corrupted, progress: Progress) -> Outputs:
    outputs = []
    chunk = max(_CHUNK, _CHUNK_BYTES // prod(model.input.shape[1:]))
    for start in range(0, len(pixels), chunk):
        outputs.append(model.run_raw(np.asarray(pixels[start : start + chunk])))
        progress(min(start + chunk, len(pixels)), len(pixels))
    return joined(outputs)


def evaluate_file(
    path: str | Path,
    source: str,
    seed: int = 0,
    robustness: bool = False,
    stated: Stated = NOTHING_STATED,
) -> dict[str, Any]:
    """Evaluate a file on the images of a source, as `Task.load_test` returns them.

    Returns:
        As `evaluate`, with file, source, skipped, and task unless it is the default one.

    Raises:
        UserError: The file or the source cannot be read, they do not fit together, or the labels in
            the file are in another order than its outputs.
    """
    model, labels = open_model(path, stated)
    task = task_of(model)
    with picture_progress(f"Reading {source}") as progress:
        loaded = task.load_test(source, labels, model_input(model), seed, progress)
    split, skipped = loaded.images, loaded.skipped
    classes = loaded.classes or labels
    known = classes_text(_present(split, classes))
    counted = f"{source}: {known}; {len(split):,} images to evaluate on"
    repaired = reasons_text(loaded.repaired, "repaired")
    announce("; ".join([counted, *left_out_text(skipped), *repaired, *loaded.notes]) + ".")
    found = evaluate(model, split, classes, seed=seed, robustness=robustness)
    if stated.labels is None and "confusion" in found:
        require_order(
            found["confusion"],
            labels,
            str(path),
            "Give the class names in the order of its outputs with --labels FILE.",
        )
    facts = {"file": str(path), "source": source, **metadata_of(task)}
    return facts | found | {"skipped": skipped}


def _present(split: Split, labels: Sequence[str]) -> Sequence[str]:
    """Return the classes of which there are images, where labels are classes."""
    if split.labels.ndim > 1:
        return labels
    return [labels[label] for label in sorted(set(split.labels.tolist()))]


def evaluate(
    model: TFLiteModel,
    split: Split,
    labels: Sequence[str],
    *,
    seed: int = 0,
    robustness: bool = False,
) -> dict[str, Any]:
    """Return the metrics of a file on images, and on damaged copies of them.

    Args:
        model: The file.
        split: Images at the size of the file's input.
        labels: Class names.
        seed: Seed of the damage.
        robustness: Whether to evaluate damaged copies too.

    Returns:
        As `Task.metrics`; with `robustness` also a list of that name, which has those metrics with
        corruption, strength and unit for each of `CORRUPTIONS` and their strengths.
    """
    task = task_of(model)
    sets: list[tuple[dict[str, Any], np.ndarray | Corrupted]] = [({}, split.images)]
    for kind in CORRUPTIONS if robustness else ():
        for strength in kind.strengths:
            facts = {"corruption": kind.name, "strength": strength, "unit": kind.unit}
            sets.append((facts, Corrupted(split.images, kind, strength, seed)))
    found: list[dict[str, Any]] = []
    with picture_progress("Evaluating") as progress:
        for facts, pixels in sets:
            raw = _run(model, pixels, _part_of(progress, len(found), len(sets)))
            metrics = task.metrics(model.real(raw), split.labels, labels, model.name)
            found.append(facts | metrics)
    clean, *copies = found
    return clean | {"robustness": copies} if copies else clean


def _part_of(progress: Progress, part: int, parts: int) -> Progress:
    """A progress callback for one of several equal parts of the work."""
    return lambda done, total: progress(part * total + done, parts * total)
