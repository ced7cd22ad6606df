"""Cross-layer equalization: neighbouring convolutions exchange factors of their channels.

Nagel et al., "Data-Free Quantization" (arXiv 1906.04721), section 4.1: if channel i between two
convolutions is divided by s_i in the first and multiplied by it in the second, the function stays
the same, and s_i = sqrt(r1_i / r2_i) gives both kernels the same range in this channel. There the
activation between them is ReLU. With ReLU6 the factor would move the 6. So calibration images
decide which channels take part: one that never reaches 6 is activated by ReLU in effect, and may
have any factor with which it stays below 6. All others keep theirs, which is 1.
"""

from collections.abc import Iterator

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import CONVOLUTIONS, input_tensors
from mobilenet_tf.compression.post_training.samples import to_groups

_ROUNDS = 20  # after which factors have spread along the network
_BATCH = 32
_HEADROOM = 1.1  # by which an image may exceed the largest value of the calibration images


def equalized(deployed: keras.Model, images: np.ndarray) -> keras.Model:
    """Return a deploy form with evened kernels, and the same outputs for the calibration images.

    Args:
        deployed: Result of `deploy_form`.
        images: (N, h, w, c) float32, normalised.
    """
    model = keras.models.clone_model(deployed)
    model.set_weights(deployed.get_weights())
    pairs = list(_pairs(model))
    if not pairs:
        return model
    peaks = _peaks(model, [first for first, _, _ in pairs], images)
    weights = {layer.name: layer.get_weights() for pair in pairs for layer in pair[::2]}
    for _ in range(_ROUNDS):
        for (first, ceiling, second), peak in zip(pairs, peaks, strict=True):
            one, two = weights[first.name], weights[second.name]
            factor = _factors(_outputs(first, one[0]), _inputs(two[0]), peak, ceiling)
            depthwise = isinstance(first, keras.layers.DepthwiseConv2D)
            by_output = factor.reshape(one[0].shape[-2:]) if depthwise else factor
            one[0], one[1] = one[0] / by_output, one[1] / factor
            two[0] = two[0] * factor[:, None]
            peak /= factor
    for layer in model.layers:
        if layer.name in weights:
            layer.set_weights(weights[layer.name])
    return model


def _pairs(
    model: keras.Model,
) -> Iterator[tuple[keras.layers.Layer, float, keras.layers.Layer]]:
    """Yield convolutions that may exchange factors, with the ceiling of the activation between."""
    readers: dict[str, list[keras.layers.Layer | None]] = {}
    for tensor in model.outputs:
        readers[tensor.node.layer.name] = [None]
    for layer in model.layers:
        for tensor in input_tensors(layer):
            readers.setdefault(tensor.node.layer.name, []).append(layer)

    def only_reader(layer: keras.layers.Layer) -> keras.layers.Layer | None:
        found = readers.get(layer.name, [])
        return found[0] if len(found) == 1 else None

    for first in model.layers:
        if not isinstance(first, CONVOLUTIONS):
            continue
        second, ceiling = only_reader(first), np.inf
        if isinstance(second, keras.layers.ReLU):
            if second.max_value is not None:
                ceiling = float(second.max_value)
            second = only_reader(second)
        if isinstance(second, CONVOLUTIONS):
            yield first, ceiling, second


def _peaks(
    model: keras.Model, layers: list[keras.layers.Layer], images: np.ndarray
) -> list[np.ndarray]:
    """Return the largest output of each channel before its activation, per layer (channels,)."""
    probe = keras.Model(model.input, [layer.output for layer in layers])
    peaks = [np.full(layer.output.shape[-1], 1e-6, np.float32) for layer in layers]
    for start in range(0, len(images), _BATCH):
        outputs = probe(images[start : start + _BATCH], training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        for peak, values in zip(peaks, outputs, strict=True):
            np.maximum(peak, np.max(values, axis=tuple(range(values.ndim - 1))), out=peak)
    return peaks


def _factors(first: np.ndarray, second: np.ndarray, peak: np.ndarray, ceiling: float) -> np.ndarray:
    """Return s: (channels,).

    Args:
        first: Range of the first kernel in each channel.
        second: That of the second.
        peak: Largest value of each channel before the activation.
        ceiling: Value at which the activation clips.
    """
    live = (first > 0) & (second > 0) & (peak < ceiling)
    # Relative to the whole kernel, because the channels that stay have a factor of 1.
    ratio = np.where(live, first / first.max() * second.max() / np.maximum(second, 1e-30), 1.0)
    return np.where(live, np.maximum(np.sqrt(ratio), _HEADROOM * peak / ceiling), 1.0)


def _inputs(kernel: np.ndarray) -> np.ndarray:
    """Range of a kernel in each input channel, which is the last axis but one."""
    return np.abs(np.moveaxis(kernel, -2, 0)).reshape(kernel.shape[-2], -1).max(axis=1)


def _outputs(layer: keras.layers.Layer, kernel: np.ndarray) -> np.ndarray:
    """Range of a kernel in each output channel."""
    return np.abs(to_groups(layer, kernel)).max(axis=1).reshape(-1)
