"""The quantization-aware model: a deploy form that rounds where the int8 file rounds."""

from collections.abc import Callable

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.calibration import Ends, calibrate, extremes, input_range
from mobilenet_tf.compression.deploy import CONVOLUTIONS, copy_layer, input_tensors
from mobilenet_tf.compression.integers import Grid, range_without_ties
from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.compression.scheme import Int8Config
from mobilenet_tf.core.inputs import InputSpec

INPUT_NAME = "pixels"


def quantize_aware(
    deployed: keras.Model,
    pictures: np.ndarray,
    preprocessing: InputSpec,
    per_channel: bool = True,
    ends: Ends = extremes,
) -> keras.Model:
    """Wrap a deploy form so that it computes what its int8 file will compute.

    Args:
        deployed: from `deploy_form`.
        pictures: (N, h, w, c) float32, normalised, for the ranges.
        preprocessing: fixes the input's range.
        per_channel: one weight scale per output channel, or one per tensor.
        ends: see `calibrate`.

    Returns:
        A model of the same shapes with the deploy form's weights, to be fine-tuned.
    """
    ranges = {deployed.layers[0].name: input_range(preprocessing)}
    measured = calibrate(deployed, pictures, ends)
    inputs = keras.Input(deployed.input_shape[1:], name=INPUT_NAME)
    pixels = keras.layers.Activation("linear", name="normalised")
    start = ranges[deployed.layers[0].name]

    def quantized(layer) -> QuantizedLayer:
        read = [ranges[source.node.layer.name] for source in input_tensors(layer)]
        # A convolution in front of a ReLU has the ReLU's range; reshaping keeps a range.
        fused = isinstance(layer, CONVOLUTIONS) and layer.name not in measured
        reader = layer.outbound_nodes[0].layer.name if fused else layer.name
        ranges[layer.name] = measured.get(reader, read[0])
        if isinstance(layer, keras.layers.GlobalAveragePooling2D):
            count = layer.input_shape[1] * layer.input_shape[2]
            ranges[layer.name] = range_without_ties(ranges[layer.name], Grid.of(read[0]), count)
        config = Int8Config(read, ranges[layer.name], layer.name in measured, per_channel)
        return QuantizedLayer(_copy_with_weights(layer, layer.input_shape), config)

    outputs = _rebuild(
        deployed, QuantizedLayer(pixels, Int8Config([start], start))(inputs), quantized
    )
    return keras.Model(inputs, outputs, name=f"{deployed.name}_int8")


def without_rounding(model: keras.Model) -> keras.Model:
    """The float network with a quantization-aware model's weights and layer names."""
    inputs = keras.Input(model.input_shape[1:], name=INPUT_NAME)
    outputs = _rebuild(
        model, inputs, lambda wrapper: _copy_with_weights(wrapper.layer, wrapper.input_shape)
    )
    return keras.Model(inputs, outputs, name=model.name)


def _rebuild(model: keras.Model, start, new_layer: Callable):
    """The output of a model's graph on the tensor `start`, with `new_layer(layer)` for each."""
    tensors = {id(model.input): start}
    for layer in model.layers[1:]:
        sources = [tensors[id(source)] for source in input_tensors(layer)]
        tensors[id(layer.output)] = new_layer(layer)(sources if len(sources) > 1 else sources[0])
    return tensors[id(model.output)]


def _copy_with_weights(layer: keras.layers.Layer, input_shape) -> keras.layers.Layer:
    new = copy_layer(layer)
    if layer.get_weights():
        # Now, not after wrapping: a wrapper puts the rounded kernel in the kernel's place.
        new.build(input_shape)
        new.set_weights(layer.get_weights())
    return new
