"""Which tensors of a deploy form become int8 tensors of the file, and over which range."""

from collections.abc import Callable

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import CONVOLUTIONS, ShiftedReLU6
from mobilenet_tf.compression.scheme import SOFTMAX_RANGE
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec

# Layers whose output shares the range of their input in the file.
_SAME_RANGE = (
    keras.layers.InputLayer,
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.ZeroPadding2D,
    keras.layers.GlobalMaxPooling2D,
)
_BATCH = 32

# The ends of a range from the values of one batch.
Ends = Callable[[np.ndarray], tuple[float, float]]


def extremes(values: np.ndarray) -> tuple[float, float]:
    """All values. Rules that clip rare ones were not better, see docs/benchmarks.md."""
    return values.min(), values.max()


def input_range(preprocessing: InputSpec) -> tuple[float, float]:
    """The range of a normalised picture: pixel 0 to pixel 255, exactly.

    With it the input's scale is 1 / std and its zero point (as uint8) mean, so raw pixels are
    the quantized input.
    """
    return tuple((pixel - preprocessing.mean) / preprocessing.std for pixel in (0, 255))


def quantized_outputs(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers whose output is an int8 tensor with a range of its own, in graph order.

    A convolution in front of a ReLU is not among them: the file has one tensor for both.
    """
    fused = _read_by(model, keras.layers.ReLU)
    return [
        layer
        for layer in model.layers
        if not isinstance(layer, _SAME_RANGE)
        and not (isinstance(layer, CONVOLUTIONS) and layer.name in fused)
    ]


def calibrate(
    model: keras.Model, pictures: np.ndarray, ends: Ends = extremes
) -> dict[str, tuple[float, float]]:
    """The range of every int8 tensor, from what real pictures make of it.

    Args:
        model: a deploy form.
        pictures: (N, h, w, c) float32, normalised; a few hundred, of all classes.
        ends: gives the range of a batch; a tensor's is the union of them.

    Returns:
        Layer name -> (low, high) with low <= 0 <= high.

    Raises:
        UserError: no pictures, or a tensor that is not finite.
    """
    if not len(pictures):
        raise UserError("Calibration needs real pictures and was given none.")
    layers = quantized_outputs(model)
    probe = keras.Model(model.input, [layer.output for layer in layers])
    low, high = np.full(len(layers), np.inf), np.full(len(layers), -np.inf)
    for start in range(0, len(pictures), _BATCH):
        outputs = probe(pictures[start : start + _BATCH], training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        least, most = zip(*(ends(np.asarray(value)) for value in outputs), strict=True)
        low, high = np.minimum(low, least), np.maximum(high, most)
    ranges = {}
    gated = _read_by(model, ShiftedReLU6)
    for layer, least, most in zip(layers, low, high, strict=True):
        if not np.isfinite([least, most]).all():
            raise UserError(f"The output of {layer.name} is not finite: training has diverged.")
        if layer.name in gated:
            # Below -3 hard-swish is 0 whatever the value: the integers are spent above it.
            least = max(least, -3.0)
        # Real zero must be an integer; a tensor that is all zero still needs a width.
        low_end, high_end = min(least, 0.0), max(most, 0.0)
        ranges[layer.name] = (float(low_end), float(max(high_end, low_end + 1e-3)))
        if _is_softmax(layer):
            ranges[layer.name] = SOFTMAX_RANGE
    return ranges


def _read_by(model, kind) -> set[str]:
    """Names of the layers that a layer of this kind reads."""
    return {layer.input.node.layer.name for layer in model.layers if isinstance(layer, kind)}


def _is_softmax(layer) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax
