"""How well a file tells images of its classes from images of something else."""

from typing import Any

import numpy as np

from mobilenet_tf.datasets.picture_folder import read_pictures
from mobilenet_tf.deployment.proof.evaluate import run_all
from mobilenet_tf.deployment.proof.opening import model_input, task_of
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel


def separation(model: TFLiteModel, own: np.ndarray, other: str) -> dict[str, Any]:
    """Return what the scores of a file say of pictures that show none of its classes.

    Args:
        model: The file.
        own: Pictures of its classes, uint8 (N, height, width, channels).
        other: Folder of the other pictures.

    Returns:
        folder, that of the other pictures, and what `Task.separation` returns.

    Raises:
        UserError: The other pictures cannot be read, or the task rejects none.
    """
    beside = read_pictures(other, model_input(model))
    outputs, others = (model.real(run_all(model, one, "Comparing")) for one in (own, beside))
    return {"folder": other, **task_of(model).separation(outputs, others, model.name)}
