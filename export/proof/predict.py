"""What a file says about images. Needs no TensorFlow."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.deep import Extremes, notes_on_deep
from mobilenet_tf.datasets.images import Picture, UnreadableImage
from mobilenet_tf.datasets.picture_paths import picture_paths
from mobilenet_tf.deployment.proof.opening import (
    NOTHING_STATED,
    Stated,
    model_input,
    open_model,
    task_of,
)
from mobilenet_tf.tasks.registry import metadata_of

BATCH = 64


def predict(
    path: str | Path,
    images: Sequence[str | Path],
    top: int = 3,
    stated: Stated = NOTHING_STATED,
    batch: int = BATCH,
) -> dict[str, Any]:
    """Return what a file says about image files: the parts of `predictions` in one.

    Raises:
        UserError: See `predictions`.
    """
    whole: dict[str, Any] = {}
    for part in predictions(path, images, top, stated, batch):
        for key, value in part.items():
            if isinstance(value, list):
                whole[key] = whole.get(key, []) + value
            else:  # such as whether all scores are probabilities
                whole[key] = whole.get(key, value) and value
    return whole


def predictions(
    path: str | Path,
    images: Sequence[str | Path],
    top: int = 3,
    stated: Stated = NOTHING_STATED,
    batch: int = BATCH,
) -> Iterator[dict[str, Any]]:
    """Yield what a file says about image files, some of them at a time, and show the progress.

    Args:
        path: A `.tflite`.
        images: Image files, folders and patterns; see `picture_paths`.
        top: Number of results per image at most.
        stated: What the metadata of the file do not say.
        batch: Number of images of a part. A task that compares images has one part.

    Yields:
        file; task, unless it is the default one; what `Task.answers` returns, with the image of
        each prediction; and failed [{image, reason}]: images that cannot be read do not keep the
        others from being predicted.

    Raises:
        UserError: The file cannot be read, none of the images can, or there are none.
    """
    paths = picture_paths(images)
    failed: list[UnreadableImage] = []
    deep: dict[str, Extremes] = {}
    with Decoders(len(paths)) as decoders, picture_progress("Predicting") as progress:
        model, labels = open_model(path, stated)  # while the processes start
        task, spec = task_of(model), model_input(model)
        facts = {"file": str(path), **metadata_of(task)}
        pictures = zip(paths, decoders.read(paths, spec), strict=True)
        size = len(paths) if task.compares else batch
        for start in range(0, len(paths), size):
            read: list[tuple[str, Picture]] = []
            wrong: list[UnreadableImage] = []
            for image, picture in islice(pictures, size):
                if isinstance(picture, UnreadableImage):
                    wrong.append(picture)
                else:
                    read.append((image, picture))
            found: dict[str, Any] = {"predictions": []}
            if read:
                pixels = np.stack([picture.pixels for _, picture in read])
                outputs = model.real(model.run_raw(pixels))
                framings = [picture.framing for _, picture in read]
                found = task.answers(outputs, labels, top, model.name, framings)
            named = zip(read, found["predictions"], strict=True)
            found["predictions"] = [{"image": image, **one} for (image, _), one in named]
            reasons = [{"image": error.name, "reason": error.reason} for error in wrong]
            yield {**facts, **found, "failed": reasons}
            deep |= {image: picture.deep for image, picture in read if picture.deep}
            failed += wrong
            progress(start + len(read) + len(wrong), len(paths))
    if notes := notes_on_deep(deep, spec.white_level):
        say("; ".join(notes) + ".")
    if len(failed) == len(paths):
        others = f" None of the other {len(failed) - 1} images can be read either."
        raise UserError(f"{failed[0]}{others * (len(failed) > 1)}") from failed[0]
