"""Agreement of a `.tflite` with the network that it was converted from, in LSB.

One LSB is one step of a quantized tensor. Needs no TensorFlow.
"""

from typing import Any

import numpy as np

from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo


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


def parity(info: TensorInfo, expected: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """Return how far a file's scores agree with real scores.

    Args:
        info: `TFLiteModel.scores` of the file.
        expected: Scores of the network, float (N, classes).
        found: The file's raw output, (N, classes); see `distance`.

    Returns:
        images, max_lsb, within_1_lsb (share of the scores), top1_agreement (share of the images
        for which both predict the same class), ties (images for which several classes have the
        file's highest score).
    """
    steps = distance(info, expected, found)
    # Before rounding: scores that are all the same after it would agree on the first class.
    same_class = expected.argmax(axis=1) == found.argmax(axis=1)
    ties = (found == found.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return {
        "images": len(found),
        "max_lsb": int(steps.max()),
        "within_1_lsb": float((steps <= 1).mean()),
        "top1_agreement": float(same_class.mean()),
        "ties": int(ties.sum()),
    }
