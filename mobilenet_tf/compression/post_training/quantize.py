"""Post-training quantization: a deploy form and a few hundred images -> the quantized network.

One layer after the other is rounded and given a new bias, knowing what the layers before it have
become. Every method works on the network that the file is converted from, which computes the
file's integers.
"""

from collections.abc import Callable

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.layer_by_layer import layer_by_layer
from mobilenet_tf.compression.post_training import samples
from mobilenet_tf.compression.post_training.adaround import adaround
from mobilenet_tf.compression.post_training.equalization import equalized
from mobilenet_tf.compression.post_training.ranges import RULES
from mobilenet_tf.compression.post_training.rounding import (
    LEVELS,
    gptq,
    largest,
    least_error,
    nearest,
)
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.core.inputs import InputSpec

# (kernel, moments, limit) -> integers, by `PostTraining.rounding`.
_ROUNDINGS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "nearest": lambda kernel, moments, limit: nearest(kernel, limit),
    "gptq": gptq,
    "adaround": adaround,
}


def quantize_after_training(
    deployed: keras.Model,
    images: np.ndarray,
    input_spec: InputSpec,
    per_channel: bool = True,
    settings: PostTraining = PostTraining(),  # noqa: B008  frozen
) -> keras.Model:
    """Quantize a deploy form without training.

    Args:
        deployed: Result of `deploy_form`.
        images: (N, h, w, c) float32, normalised; a few hundred, of all classes. No labels are
            needed.
        input_spec: Preprocessing; its bounds are the input's range.
        per_channel: Whether a kernel has one scale per output channel, or one in all.
        settings: The methods.

    Returns:
        A model as from `quantize_aware`, which can also be trained further.
    """
    if settings.equalize:
        deployed = equalized(deployed, images)
    rule = RULES[settings.ranges]
    model = quantize_aware(deployed, images, input_spec, per_channel, rule)
    # Drawn, because images may be in the order of their classes.
    order = np.random.default_rng(0).permutation(len(images))[: settings.pictures]
    walk = layer_by_layer(model, deployed, images[order], "Rounding layer by layer")
    for layer, original, exact, rounded in walk:
        _fit(layer, original, exact, rounded, settings)
    return model


def _fit(
    layer: QuantizedLayer,
    original: keras.layers.Layer,
    exact: np.ndarray,
    rounded: np.ndarray,
    settings: PostTraining,
) -> None:
    """Give one layer the integers and the bias with which it computes most nearly the original.

    Args:
        layer: The layer of the quantized network.
        original: The layer of the float network.
        exact: What the original reads in the float network.
        rounded: What the layer reads in the quantized network.
        settings: The methods.
    """
    kernel, bias = original.get_weights()
    positions = samples.draw(original, len(exact))
    inputs = samples.inputs_at(original, rounded, positions)
    mean = inputs.mean(axis=1, keepdims=True, dtype=np.float64)
    # What is the same at all positions is left to the bias.
    spread = inputs - mean.astype(np.float32) if settings.correct_bias else inputs
    moments = np.matmul(spread.transpose(0, 2, 1), spread).astype(np.float64) / inputs.shape[1]
    wanted = samples.to_groups(original, kernel).astype(np.float64)
    variable, quantizer = layer.weight, layer.weight_quantizer
    assert variable is not None  # of a convolution
    per_channel = quantizer.per_channel
    limit = largest(wanted, per_channel)
    if settings.limits:
        limit = least_error(wanted, moments, per_channel)
    # The limit that the layer will have; those of dead channels are wider.
    clipped = samples.from_groups(original, np.clip(wanted, -limit, limit), kernel.shape)
    widest = quantizer.limits(clipped).numpy().astype(np.float64)
    limit = np.broadcast_to(widest, (limit.size,)).reshape(limit.shape)
    integers = _ROUNDINGS[settings.rounding](wanted, moments, limit)
    values = integers * limit / LEVELS
    variable.assign(samples.from_groups(original, values, kernel.shape))
    if settings.correct_bias:
        expected = samples.inputs_at(original, exact, positions)
        expected = expected.mean(axis=1, keepdims=True, dtype=np.float64)
        shift = np.matmul(expected, wanted) - np.matmul(mean, values)
        layer.layer.bias.assign(bias + shift.reshape(-1))
