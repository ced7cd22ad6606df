"""What a file says about images. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing
from mobilenet_tf.core.outputs import Outputs, joined
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.deep import Extremes, notes_on_deep
from mobilenet_tf.datasets.images import UnreadableImage
from mobilenet_tf.deployment.proof.opening import (
    NOTHING_STATED,
    Stated,
    model_input,
    open_model,
    task_of,
)
from mobilenet_tf.tasks.registry import metadata_of


def predict(
    path: str | Path,
    images: Sequence[str | Path],
    top: int = 3,
    stated: Stated = NOTHING_STATED,
) -> dict[str, Any]:
    """Return what a file says about image files.

    Args:
        path: A `.tflite`.
        images: Image files.
        top: Number of results per image at most.
        stated: What the metadata of the file do not say.

    Returns:
        file; task, unless it is the default one; what `Task.answers` returns, with the image of
        each prediction; and failed [{image, reason}]: images that cannot be read do not keep the
        others from being predicted.

    Raises:
        UserError: The file cannot be read, none of the images can, or there are none.
    """
    if not images:
        raise UserError("There are no images; at least 1 is needed.")
    read: list[str] = []
    outputs: list[Outputs] = []
    framings: list[Framing] = []
    failed: list[UnreadableImage] = []
    deep: dict[str, Extremes] = {}
    with Decoders(1) as decoders:  # its process starts while the model is loaded
        model, labels = open_model(path, stated)
        task, spec = task_of(model), model_input(model)
        for image, picture in zip(images, decoders.read(images, spec), strict=True):
            if isinstance(picture, UnreadableImage):
                failed.append(picture)
                continue
            if picture.deep:
                deep[str(image)] = picture.deep
            read.append(str(image))
            framings.append(picture.framing)
            outputs.append(model.real(model.run_raw(picture.pixels[None])))
    if notes := notes_on_deep(deep, spec.white_level):
        say("; ".join(notes) + ".")
    if failed and not read:
        others = f" None of the other {len(failed) - 1} images can be read either."
        raise UserError(f"{failed[0]}{others * (len(failed) > 1)}") from failed[0]
    found = task.answers(joined(outputs), labels, top, model.name, framings)
    named = zip(read, found["predictions"], strict=True)
    return {
        "file": str(path),
        **metadata_of(task),
        **found,
        "predictions": [{"image": image, **answer} for image, answer in named],
        "failed": [{"image": error.name, "reason": error.reason} for error in failed],
    }
