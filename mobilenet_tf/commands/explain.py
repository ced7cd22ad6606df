"""`predict --explain`: which part of each image decided. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.outcomes.predictions import HeatMaps
from mobilenet_tf.commands.predict import stated
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.images import Picture
from mobilenet_tf.datasets.picture_paths import picture_paths
from mobilenet_tf.deployment.proof.occlusion import heat_map, shown
from mobilenet_tf.deployment.proof.opening import model_input, open_model, task_of

_LONGEST = 100  # characters of a picture's name in that of its heat map


def explain(
    file: str | Path,
    images: Sequence[str | Path],
    out: str | Path,
    **statements: Any,
) -> HeatMaps:
    """Write heat maps of images: where a `.tflite` saw the class that it predicts.

    Args:
        file: The `.tflite`.
        images: As for `predict`. Images that cannot be read have no heat map.
        out: A folder that is new or empty.
        statements: mean, std and labels, as for `predict`.

    Raises:
        UserError: The file cannot be read or does not score classes, or the folder is not empty.
    """
    folder = check_explanations(out)
    paths = picture_paths(images)
    written = HeatMaps()
    with Decoders(len(paths)) as decoders, picture_progress("Explaining") as progress:
        model, _ = open_model(file, stated(**statements))
        task = task_of(model)
        if not task.explains:
            raise UserError(f"{file} is for {task.name}; heat maps need a score for each class.")
        pictures = zip(paths, decoders.read(paths, model_input(model)), strict=True)
        for number, (path, picture) in enumerate(pictures, start=1):
            if isinstance(picture, Picture):
                target = folder / f"{number:04}_{Path(path).stem[:_LONGEST]}.png"
                drawn = shown(picture.pixels, heat_map(model, picture.pixels))
                write_atomically(target, drawn.save)
                written[path] = str(target)
            progress(number, len(paths))
    return written


def check_explanations(out: str | Path) -> Path:
    """Return the folder of heat maps.

    Raises:
        UserError: It is a file, or there is something in it.
    """
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already; heat maps need a folder that is new or empty.")
    return folder
