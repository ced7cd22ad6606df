"""Agreement of a `.tflite` with the network that it was converted from, in LSB.

One LSB is one step of a quantized tensor. Needs no TensorFlow.
"""

from typing import Any

import numpy as np

from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.tasks.agreement import agreement
from mobilenet_tf.tasks.task import Task


def distance(info: TensorInfo, expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the steps (LSB) between real values and a tensor's values, as int64.

    Args:
        info: The tensor.
        expected: Real values.
        found: The tensor's values: integers, or floats that were dequantized from them.

    Returns:
        The distances, in the shape of `expected`.
    """
    if found.dtype.kind == "f":
        found = info.quantize(found)
    nearest = info.quantize(expected).astype(np.int64)
    return np.abs(nearest - found.reshape(nearest.shape))


def parity(task: Task, info: TensorInfo, expected: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """Return how far a file's outputs agree with real outputs.

    Args:
        task: What the network is for.
        info: `TFLiteModel.scores` of the file.
        expected: Outputs of the network, float (N, ...).
        found: The file's raw output, (N, ...); see `distance`.

    Returns:
        images, max_lsb, within_1_lsb (share of the values), and those of `agreement`.
    """
    steps = distance(info, expected, found)
    return {
        "images": len(found),
        "max_lsb": int(steps.max()),
        "within_1_lsb": float((steps <= 1).mean()),
        # Before rounding: scores that are all the same after it would agree on the first class.
        **agreement(task.decisions(expected), task.decisions(found)),
    }
