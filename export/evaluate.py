"""How good scores are, and what a `.tflite` makes of labelled pictures. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.runtime import TFLiteModel
from mobilenet_tf.data.load import load_test
from mobilenet_tf.data.pictures import read_picture
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.spec import ModelSpec, Preprocessing
from mobilenet_tf.training.progress import picture_progress

_CHUNK = 64


def figures(scores: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict:
    """Accuracy and confusion of scores.

    Args:
        scores: (N, C), higher is likelier.
        labels: (N,) the true classes.
        classes: C names.

    Returns:
        images, accuracy, top5 (None below six classes), per_class {name: {precision, recall,
        images}} and confusion (rows are true classes).
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


def run_all(model: TFLiteModel, pictures: np.ndarray, title: str) -> np.ndarray:
    """The file's raw outputs for uint8 pictures (N, h, w, c), with a progress bar."""
    outputs = []
    with picture_progress(title) as progress:
        for start in range(0, len(pictures), _CHUNK):
            outputs.append(model.run_raw(np.asarray(pictures[start : start + _CHUNK])))
            progress(min(start + _CHUNK, len(pictures)), len(pictures))
    return np.concatenate(outputs)


def model_input(model: TFLiteModel) -> ModelSpec:
    """Size, channels and preprocessing of a file, as a specification to load pictures with.

    Raises:
        UserError: the input is not square.
    """
    _, height, width, channels = model.input.shape
    if height != width:
        raise UserError(f"{model.called} takes {width}x{height} pictures; only squares are served.")
    crop = 1.0 if model.metadata.crop is None else model.metadata.crop
    preprocessing = Preprocessing(crop=crop)
    return ModelSpec(model.called, (), 1.0, height, channels=channels, preprocessing=preprocessing)


def labels_of(model: TFLiteModel) -> list[str]:
    """The file's labels, or the classes' numbers where it has none."""
    return list(model.labels or map(str, range(model.output.shape[-1])))


def evaluate_file(path: str | Path, source: str, seed: int = 0) -> dict:
    """`figures` of a `.tflite` on the pictures of a source, and what was skipped."""
    model = TFLiteModel(path, threads=2)
    labels = labels_of(model)
    with picture_progress(f"Reading {source}") as progress:
        split, skipped = load_test(source, labels, model_input(model), seed, progress)
    scores = run_all(model, split.pictures, "Evaluating")
    return {
        "file": str(path),
        "source": source,
        **figures(scores, split.labels, labels),
        "skipped": skipped,
    }


def predict(path: str | Path, images: Sequence[str | Path], top: int = 3) -> dict:
    """The likeliest classes of pictures.

    Returns:
        {"file", "predictions": [{"image", "classes": [{"label", "score"}]}]}.

    Raises:
        UserError: the file or a picture cannot be read.
    """
    model = TFLiteModel(path, threads=2)
    spec, labels = model_input(model), labels_of(model)
    crop = spec.preprocessing.crop
    predictions = []
    for image in images:
        pixels = read_picture(image, spec.size, spec.channels, crop)
        scores = model.run(pixels[None])[0]
        best = np.argsort(-scores, kind="stable")[:top]
        ranked = [{"label": labels[i], "score": round(float(scores[i]), 4)} for i in best]
        predictions.append({"image": str(image), "classes": ranked})
    return {"file": str(path), "predictions": predictions}
