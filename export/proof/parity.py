"""Agreement of a `.tflite` with the network that it was converted from, in LSB.

One LSB is one step of a quantized tensor. Needs no TensorFlow.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs, each, one_or_all
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
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


def parity(
    task: Task, scores: Sequence[TensorInfo], expected: Outputs, found: Outputs
) -> dict[str, Any]:
    """Return how far a file's outputs agree with real outputs.

    Args:
        task: What the network is for.
        scores: `TFLiteModel.scores` of the file.
        expected: Outputs of the network, float.
        found: The file's raw outputs; see `distance`.

    Returns:
        images; max_lsb, mean_lsb and within_1_lsb (share of the values), each of the output that
        agrees least; and those of `Task.agreement`.
    """
    real = one_or_all(map(TensorInfo.dequantize, scores, each(found)))
    # Before rounding: scores that are all the same after it would agree on the first class.
    agreed = task.agreement(expected, real, [float(one.scale or 1) for one in scores])
    distances = list(map(distance, scores, each(expected), each(found)))
    return {
        "images": len(distances[0]),
        "max_lsb": max(int(one.max()) for one in distances),
        "mean_lsb": round(max(float(one.mean()) for one in distances), 4),
        "within_1_lsb": min(float((one <= 1).mean()) for one in distances),
        **agreed,
    }
