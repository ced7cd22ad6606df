"""Which tensors of a deploy form become int8 tensors of the file, and over which range."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import CONVOLUTIONS, ShiftedReLU6, input_tensors
from mobilenet_tf.compression.scheme import PROBABILITY_RANGE
from mobilenet_tf.core.errors import UserError

# Layers whose output has the range of their inputs in the file.
_SAME_RANGE = (
    keras.layers.InputLayer,
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.ZeroPadding2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.MaxPooling2D,
    keras.layers.Concatenate,
    keras.layers.UpSampling2D,
)
_BATCH = 32

# Values of one batch -> (low, high).
RangeRule = Callable[[np.ndarray], tuple[float, float]]


def extremes(values: np.ndarray) -> tuple[float, float]:
    """Return the least and the largest value.

    Rules that clip rare values were not better; see docs/benchmarks.md.
    """
    return values.min(), values.max()


def quantized_outputs(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers whose output is an int8 tensor with a range of its own, in graph order.

    A convolution before a ReLU is not among them: the file has one tensor for both.
    """
    fused = _fused(model)
    return [
        layer
        for layer in model.layers
        if not isinstance(layer, _SAME_RANGE) and layer.name not in fused
    ]


def calibrate(
    model: keras.Model, images: np.ndarray, range_rule: RangeRule = extremes
) -> dict[str, tuple[float, float]]:
    """Return the range of every int8 tensor, measured on real images.

    Args:
        model: Deploy form.
        images: (N, h, w, c) float32, normalised; a few hundred, of all classes.
        range_rule: Range of the values of one batch; a tensor's range is the union of them.

    Returns:
        Layer name -> (low, high) with low <= 0 <= high.

    Raises:
        UserError: There are no images, or a tensor is not finite.
    """
    if not len(images):
        raise UserError("There are no calibration images; at least one real image is needed.")
    layers = quantized_outputs(model)
    probe = keras.Model(model.input, [layer.output for layer in layers])
    low, high = np.full(len(layers), np.inf), np.full(len(layers), -np.inf)
    for start in range(0, len(images), _BATCH):
        outputs = probe(images[start : start + _BATCH], training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        least, most = zip(*(range_rule(np.asarray(value)) for value in outputs), strict=True)
        low, high = np.minimum(low, least), np.maximum(high, most)
    ranges = {}
    owners = _range_owners(model)
    gates = (layer for layer in model.layers if isinstance(layer, ShiftedReLU6))
    gated = {gate.input.node.layer.name for gate in gates}
    for layer in layers:
        shared = [owners[other.name] == owners[layer.name] for other in layers]
        lowest, highest = low[shared].min(), high[shared].max()
        if not np.isfinite([lowest, highest]).all():
            raise UserError(f"The output of {layer.name} is not finite: training has diverged.")
        if layer.name in gated:
            # Below -3 hard-swish is 0 for any value, so the integers are used for values above it.
            lowest = max(lowest, -3.0)
        # Real zero must be an integer, and a tensor of zeros still needs a range of some width.
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
        ranges[layer.name] = (float(lowest), float(max(highest, lowest + 1e-3)))
        if _is_probability(layer):
            ranges[layer.name] = PROBABILITY_RANGE
    return ranges


def calibration_facts(
    pixels: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> dict[str, Any]:
    """Return the section `calibration` of `result.json`: which images set the ranges.

    Args:
        pixels: uint8 (N, h, w, c).
        labels: (N,) indices into `classes`.
        classes: Class names; none of images without labels.
    """
    counts = np.bincount(labels, minlength=len(classes)) if classes else ()
    return {
        "pictures": len(pixels),
        "per_class": {name: int(count) for name, count in zip(classes, counts, strict=True)},
        "lowest_pixel": int(pixels.min()),
        "highest_pixel": int(pixels.max()),
    }


def _fused(model: keras.Model) -> set[str]:
    """Names of the convolutions whose only reader is a ReLU: the file has one tensor for both."""
    readers: dict[str, list[keras.layers.Layer]] = {}
    for layer in model.layers:
        for tensor in input_tensors(layer):
            readers.setdefault(tensor.node.layer.name, []).append(layer)
    return {
        layer.name
        for layer in model.layers
        if isinstance(layer, CONVOLUTIONS)
        and [type(reader) for reader in readers.get(layer.name, [])] == [keras.layers.ReLU]
    }


def _range_owners(model: keras.Model) -> dict[str, str]:
    """Return layer -> owner; layers with one owner have one range.

    XNNPACK concatenates tensors of one range only, and activates a tensor that has other readers
    only if the result has its range.
    """
    fused, owners = _fused(model), dict[str, str]()
    for layer in model.layers:
        sources = [owners[tensor.node.layer.name] for tensor in input_tensors(layer)]
        alone = isinstance(layer, keras.layers.ReLU) and layer.input.node.layer.name not in fused
        if sources and (alone or isinstance(layer, _SAME_RANGE)):
            owners[layer.name] = sources[0]
            owners = {
                name: sources[0] if owner in sources else owner for name, owner in owners.items()
            }
        else:
            owners[layer.name] = layer.name
    return owners


def _is_probability(layer: keras.layers.Layer) -> bool:
    activation = getattr(layer, "activation", None)
    squashes = activation in (keras.activations.softmax, keras.activations.sigmoid)
    return isinstance(layer, keras.layers.Softmax) or squashes
