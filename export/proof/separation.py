"""How well a file tells images of its classes from images of something else."""

from pathlib import Path
from typing import Any

from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.datasets.unlabelled import read_pictures
from mobilenet_tf.deployment.proof.evaluate import run_all
from mobilenet_tf.deployment.proof.opening import Stated, model_input, open_model, task_of


def separation(
    path: str | Path, source: str, other: str, seed: int, stated: Stated
) -> dict[str, Any]:
    """Return what the scores of a file say of pictures that show none of its classes.

    Args:
        path: A `.tflite`.
        source: Source of pictures of the classes, as for `evaluate_file`.
        other: Folder of the other pictures.
        seed: Seed of the split.
        stated: What the metadata of the file do not say.

    Returns:
        folder, that of the other pictures, and what `Task.separation` returns.

    Raises:
        UserError: See `evaluate_file`; the other pictures cannot be read, or the task rejects none.
    """
    model, labels = open_model(path, stated)
    task, spec = task_of(model), model_input(model)
    beside = read_pictures(other, spec)
    with picture_progress(f"Reading {source}") as progress:
        own = task.load_test(source, labels, spec, seed, progress).images.images
    outputs, others = (model.real(run_all(model, one, "Comparing")) for one in (own, beside))
    return {"folder": other, **task.separation(outputs, others, model.name)}
