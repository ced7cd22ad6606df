"""How good scores are, and what a `.tflite` makes of labelled pictures. Needs no TensorFlow."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.datasets.corruptions import CORRUPTIONS, Corrupted
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.images import read_image
from mobilenet_tf.datasets.load import load_test
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

_CHUNK = 64
_BINS = 15


def figures(scores: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict:
    """Accuracy, calibration and confusion of scores.

    Args:
        scores: (N, C) probabilities; other reals, higher is likelier, have no calibration.
        labels: (N,) the true classes.
        classes: C names.

    Returns:
        images, accuracy, top5 (None below six classes), calibration_error (None for other than
        probabilities), per_class {name: {precision, recall, images}} and confusion (rows are
        true classes).
    """
    predicted = scores.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (labels, predicted), 1)
    right, truly, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
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
                "precision": _share(right[index], said[index]),
                "recall": _share(right[index], truly[index]),
                "images": int(truly[index]),
            }
            for index, name in enumerate(classes)
        },
        "confusion": confusion.tolist(),
    }


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Expected calibration error (Guo et al., 2017, equation 3), 15 bins of equal width.

    How far, on average, the score of the named class is from the share of right answers that
    are given with such a score. None if the scores are no probabilities.
    """
    if scores.min() < 0 or scores.max() > 1 + 1e-6:
        return None
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    # Float32 probabilities may exceed 1 by a rounding error.
    return min(float(np.abs(np.bincount(bins, right - confidence)).sum() / len(labels)), 1.0)


def sections(judged: dict[str, dict]) -> dict[str, dict]:
    """What `result.json` keeps of the `figures` of each form of a network, `int8` among them."""
    shares = ("accuracy", "top5", "calibration_error")
    return {
        **{key: {form: value[key] for form, value in judged.items()} for key in shares},
        "per_class": judged["int8"]["per_class"],
        "confusion": judged["int8"]["confusion"],
    }


def run_all(model: TFLiteModel, pictures: np.ndarray, title: str) -> np.ndarray:
    """The file's raw outputs for uint8 pictures (N, h, w, c), with a progress bar."""
    with picture_progress(title) as progress:
        return _run(model, pictures, progress)


def _run(
    model: TFLiteModel, pictures: np.ndarray | Corrupted, progress: Callable[[int, int], None]
) -> np.ndarray:
    outputs = []
    for start in range(0, len(pictures), _CHUNK):
        outputs.append(model.run_raw(np.asarray(pictures[start : start + _CHUNK])))
        progress(min(start + _CHUNK, len(pictures)), len(pictures))
    return np.concatenate(outputs)


def model_input(model: TFLiteModel) -> InputSpec:
    """Size, channels and preprocessing of a file, as a specification to load pictures with.

    Raises:
        UserError: the input is not square.
    """
    _, height, width, channels = model.input.shape
    if height != width:
        raise UserError(f"{model.called} takes {width}x{height} pictures; only squares are served.")
    crop = 1.0 if model.metadata.crop is None else model.metadata.crop
    return InputSpec(height, channels, crop=crop)


def labels_of(model: TFLiteModel) -> list[str]:
    """The file's labels, or the classes' numbers where it has none."""
    return list(model.labels or map(str, range(model.output.shape[-1])))


def evaluate_file(path: str | Path, source: str, seed: int = 0, robustness: bool = False) -> dict:
    """`evaluate` on the pictures of a source, as `load_test` gives them."""
    model = TFLiteModel(path, threads=2)
    labels = labels_of(model)
    with picture_progress(f"Reading {source}") as progress:
        split, skipped = load_test(source, labels, model_input(model), seed, progress)
    found = evaluate(model, split, labels, seed, robustness)
    return {"file": str(path), "source": source, **found, "skipped": skipped}


def evaluate(
    model: TFLiteModel,
    split: Split,
    labels: Sequence[str],
    seed: int = 0,
    robustness: bool = False,
) -> dict:
    """`figures` of a file on pictures, and on damaged copies of them.

    Args:
        split: pictures at the file's size.
        labels: the classes' names.
        seed: of the damage.
        robustness: whether to damage them.

    Returns:
        As `figures`; with `robustness` a list of that name, which has `figures` with the
        corruption, its strength and unit for each of `CORRUPTIONS` and their strengths.
    """
    damaged = [
        ({"corruption": kind.name, "strength": strength, "unit": kind.unit}, kind, strength)
        for kind in CORRUPTIONS * robustness
        for strength in kind.strengths
    ]
    sets = [({}, split.images)]
    sets += [(facts, Corrupted(split.images, *how, seed)) for facts, *how in damaged]
    found = []
    with picture_progress("Evaluating") as progress:
        for facts, pictures in sets:
            start = len(found) * len(split)
            raw = _run(
                model, pictures, lambda n, _, s=start: progress(s + n, len(sets) * len(split))
            )
            found.append(facts | figures(model.output.dequantize(raw), split.labels, labels))
    plain, *copies = found
    return plain | {"robustness": copies} if copies else plain


def predict(path: str | Path, images: Sequence[str | Path], top: int = 3) -> dict:
    """The likeliest classes of pictures.

    Returns:
        {"file", "predictions": [{"image", "classes": [{"label", "score"}]}]}.

    Raises:
        UserError: the file or a picture cannot be read.
    """
    model = TFLiteModel(path, threads=2)
    spec, labels = model_input(model), labels_of(model)
    predictions = []
    for image in images:
        pixels = read_image(image, spec)
        scores = model.run(pixels[None])[0]
        best = np.argsort(-scores, kind="stable")[:top]
        ranked = [{"label": labels[i], "score": round(float(scores[i]), 4)} for i in best]
        predictions.append({"image": str(image), "classes": ranked})
    return {"file": str(path), "predictions": predictions}
