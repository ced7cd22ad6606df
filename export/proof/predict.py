"""The most likely classes of images. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.deep import Extremes, notes_on_deep
from mobilenet_tf.datasets.images import UnreadableImage
from mobilenet_tf.deployment.proof.evaluate import are_probabilities, finite
from mobilenet_tf.deployment.proof.opening import NOTHING_STATED, Stated, model_input, open_model


def predict(
    path: str | Path,
    images: Sequence[str | Path],
    top: int = 3,
    stated: Stated = NOTHING_STATED,
) -> dict[str, Any]:
    """Return the likeliest classes of image files.

    Args:
        path: A `.tflite`.
        images: Image files.
        top: Number of classes per image.
        stated: What the metadata of the file do not say.

    Returns:
        {"file", "probabilities", "predictions": [{"image", "classes": [{"label", "score"}]}],
        "failed": [{"image", "reason"}]}. probabilities says whether the scores are such, and not
        logits. Images that cannot be read do not keep the others from being classified.

    Raises:
        UserError: The file cannot be read, or none of the images can.
    """
    predictions: list[dict[str, Any]] = []
    failed: list[UnreadableImage] = []
    deep: dict[str, Extremes] = {}
    probabilities = True
    with Decoders(1) as decoders:  # its process starts while the model is loaded
        model, labels = open_model(path, stated)
        spec = model_input(model)
        for image, picture in zip(images, decoders.read(images, spec), strict=True):
            if isinstance(picture, UnreadableImage):
                failed.append(picture)
                continue
            if picture.deep:
                deep[str(image)] = picture.deep
            pixels = picture.pixels
            scores = finite(model.class_scores(model.run_raw(pixels[None])), model.name)[0]
            probabilities = probabilities and are_probabilities(scores)
            best = np.argsort(-scores, kind="stable")[:top]
            ranked = [{"label": labels[i], "score": round(float(scores[i]), 4)} for i in best]
            predictions.append({"image": str(image), "classes": ranked})
    if notes := notes_on_deep(deep, spec.white_level):
        say("; ".join(notes) + ".")
    if failed and not predictions:
        others = f" None of the other {len(failed) - 1} images can be read either."
        raise UserError(f"{failed[0]}{others * (len(failed) > 1)}") from failed[0]
    return {
        "file": str(path),
        "probabilities": probabilities,
        "predictions": predictions,
        "failed": [{"image": error.name, "reason": error.reason} for error in failed],
    }
