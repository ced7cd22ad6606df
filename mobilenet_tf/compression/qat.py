"""The quantization-aware model: a deploy form that rounds where the int8 file rounds."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.calibration import RangeRule, calibrate, extremes
from mobilenet_tf.compression.deploy import CONVOLUTIONS, copy_layer, input_tensors
from mobilenet_tf.compression.integers import Grid, range_without_ties
from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.compression.scheme import Int8Config
from mobilenet_tf.compression.weight_quantizers import Sharing
from mobilenet_tf.core.inputs import InputSpec

INPUT_NAME = "pixels"
PIXELS_NAME = "normalised"  # the layer that rounds the input


def quantize_aware(
    deployed: keras.Model,
    images: np.ndarray,
    input_spec: InputSpec,
    per_channel: bool = True,
    range_rule: RangeRule = extremes,
) -> keras.Model:
    """Wrap a deploy form so that it computes what its int8 file will compute.

    Args:
        deployed: Result of `deploy_form`.
        images: (N, h, w, c) float32, normalised, that set the ranges.
        input_spec: Preprocessing; its bounds are the input's range.
        per_channel: Whether a kernel has one scale per output channel, or one in all.
        range_rule: See `calibrate`.

    Returns:
        A model of the same shapes with the deploy form's weights, to be fine-tuned.
    """
    measured = calibrate(deployed, images, range_rule)
    ranges = {deployed.layers[0].name: input_spec.bounds}

    def quantized(layer: keras.layers.Layer) -> QuantizedLayer:
        sources = [ranges[source.node.layer.name] for source in input_tensors(layer)]
        # A convolution before a ReLU has the ReLU's range; reshaping does not change a range.
        fused = isinstance(layer, CONVOLUTIONS) and layer.name not in measured
        reader = layer.outbound_nodes[0].layer.name if fused else layer.name
        bounds = measured.get(reader, sources[0])
        if isinstance(layer, keras.layers.GlobalAveragePooling2D):
            count = layer.input_shape[1] * layer.input_shape[2]
            bounds = range_without_ties(bounds, Grid.of(sources[0]), count)
        ranges[layer.name] = bounds
        config = Int8Config(sources, bounds, layer.name in measured, per_channel)
        return QuantizedLayer(_copy_with_weights(layer, layer.input_shape), config)

    return _wrapped(deployed, Int8Config([input_spec.bounds], input_spec.bounds), quantized)


def quantize_aware_again(deployed: keras.Model, configs: Mapping[str, Int8Config]) -> keras.Model:
    """Return the structure that `quantize_aware` made, for weights to be read into.

    Args:
        deployed: A deploy form of the same network, with any weights.
        configs: Layer name -> what becomes int8 in it; `PIXELS_NAME` is the input's.
    """

    def quantized(layer: keras.layers.Layer) -> QuantizedLayer:
        return QuantizedLayer(_copy_with_weights(layer, layer.input_shape), configs[layer.name])

    return _wrapped(deployed, configs[PIXELS_NAME], quantized)


def _wrapped(
    deployed: keras.Model,
    config: Int8Config,
    quantized: Callable[[keras.layers.Layer], QuantizedLayer],
) -> keras.Model:
    inputs = keras.Input(deployed.input_shape[1:], name=INPUT_NAME)
    pixels = keras.layers.Activation("linear", name=PIXELS_NAME)
    outputs = _rebuild(deployed, QuantizedLayer(pixels, config)(inputs), quantized)
    return keras.Model(inputs, outputs, name=f"{deployed.name}_int8")


def with_bits(model: keras.Model, bits: Mapping[str, int]) -> keras.Model:
    """Return a quantization-aware model whose kernels in these layers have so many bits.

    Args:
        model: Result of `quantize_aware`.
        bits: Layer -> bits of its kernel's weights; all others have 8.
    """
    return reconfigured(model, lambda one: one.quantize_config.changed(bits=bits.get(one.name, 8)))


def settled(model: keras.Model) -> keras.Model:
    """Return the quantization-aware model with its shared weights in place of tables.

    The result computes the same; each of these kernels keeps its scale as a variable.
    """
    shared = [one for one in model.layers[1:] if one.quantize_config.sharing.values]
    for one in shared:
        one.weight.assign(one.weight_quantizer(one.weight, False, {}))
    return with_stored_scales(model, [one.name for one in shared]) if shared else model


def with_stored_scales(model: keras.Model, names: Collection[str]) -> keras.Model:
    """Return a quantization-aware model whose kernels in these layers keep the scale they have."""
    new = reconfigured(
        model,
        lambda one: one.quantize_config.changed(sharing=Sharing(), stored_scale=one.name in names),
    )
    for name in names:
        old = model.get_layer(name)
        new.get_layer(name).weight_quantizer.limit.assign(old.weight_quantizer.limits(old.weight))
    return new


def reconfigured(model: keras.Model, config: Callable[[QuantizedLayer], Int8Config]) -> keras.Model:
    """Return a quantization-aware model with the same weights and other configurations.

    Args:
        model: Result of `quantize_aware`.
        config: A layer of it -> what becomes int8 in it.
    """

    def again(wrapper: QuantizedLayer) -> QuantizedLayer:
        layer = _copy_with_weights(wrapper.layer, wrapper.input_shape)
        return QuantizedLayer(layer, config(wrapper))

    inputs = keras.Input(model.input_shape[1:], name=INPUT_NAME)
    return keras.Model(inputs, _rebuild(model, inputs, again), name=model.name)


def without_rounding(model: keras.Model) -> keras.Model:
    """Return the float network with a quantization-aware model's weights and layer names."""
    inputs = keras.Input(model.input_shape[1:], name=INPUT_NAME)
    outputs = _rebuild(
        model, inputs, lambda wrapper: _copy_with_weights(wrapper.layer, wrapper.input_shape)
    )
    return keras.Model(inputs, outputs, name=model.name)


def _rebuild(
    model: keras.Model, start: Any, new_layer: Callable[[keras.layers.Layer], keras.layers.Layer]
) -> Any:
    """Apply `new_layer(layer)` for each layer of the graph, from the tensor `start` on."""
    tensors = {id(model.input): start}
    for layer in model.layers[1:]:
        sources = [tensors[id(source)] for source in input_tensors(layer)]
        tensors[id(layer.output)] = new_layer(layer)(sources if len(sources) > 1 else sources[0])
    outputs = [tensors[id(output)] for output in model.outputs]
    return outputs if len(outputs) > 1 else outputs[0]


def _copy_with_weights(layer: keras.layers.Layer, input_shape: Any) -> keras.layers.Layer:
    new = copy_layer(layer)
    if layer.get_weights():
        # Before wrapping, because a wrapper puts the rounded kernel in the kernel's place.
        new.build(input_shape)
        new.set_weights(layer.get_weights())
    return new
