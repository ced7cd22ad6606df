"""Compare each tensor inside an int8 `.tflite` with the same conversion without rounding."""

from typing import Any

import numpy as np

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo

_LARGEST_SQNR = 150.0  # decibels, which also stand for no noise at all


def sqnr(signal: np.ndarray, found: np.ndarray) -> float:
    """Return the signal-to-quantization-noise ratio in decibels.

    Args:
        signal: Real values without rounding.
        found: The same with rounding.
    """
    signal = signal.astype(np.float64)
    noise = np.square(signal - found).mean()
    ratio = np.square(signal).mean() / noise if noise else np.inf
    return round(float(min(10 * np.log10(max(ratio, 1e-15)), _LARGEST_SQNR)), 2)


def range_used(values: np.ndarray) -> float:
    """Return the share of the 256 integers between the least and the largest value."""
    return (int(values.max()) - int(values.min()) + 1) / 256


def compare_files(
    unrounded: bytes, content: bytes, pixels: np.ndarray, input_spec: InputSpec
) -> list[dict[str, Any]]:
    """Measure where an int8 file loses precision.

    Args:
        unrounded: The float32 file of the same model; tensors are matched by name.
        content: The int8 file.
        pixels: uint8 (N, h, w, c), a few dozen images.
        input_spec: Preprocessing of both.

    Returns:
        For each int8 tensor that both have, in the order of execution: name, sqnr_db, range_used.
    """
    mean, std = input_spec.mean, input_spec.std
    exact = TFLiteModel(unrounded, preserve_tensors=True, mean=mean, std=std)
    file = TFLiteModel(content, preserve_tensors=True)
    pairs: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    facts: dict[str, TensorInfo] = {}
    for picture in pixels:
        real = exact.activations(picture[None])
        for name, (info, values) in file.activations(picture[None]).items():
            if name in real and info.scale is not None and info.shape == real[name][0].shape:
                facts[name] = info
                pairs.setdefault(name, []).append((real[name][1], values))
    rows = []
    for name, found in pairs.items():
        signal, values = map(np.concatenate, zip(*found, strict=True))
        rows.append(
            {
                "name": name.split(";")[0],
                "sqnr_db": sqnr(signal, facts[name].dequantize(values)),
                "range_used": range_used(values),
            }
        )
    return rows
