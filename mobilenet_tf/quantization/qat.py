"""The quantization-aware model: a deploy form that rounds where the int8 file rounds."""

import numpy as np
import tf_keras as keras

from mobilenet_tf.models.spec import Preprocessing
from mobilenet_tf.quantization.calibration import calibrate, input_range
from mobilenet_tf.quantization.deploy import copy_layer, input_tensors
from mobilenet_tf.quantization.scheme import Int8Config, QuantizedLayer

INPUT_NAME = "pixels"


def quantize_aware(
    deployed: keras.Model,
    pictures: np.ndarray,
    preprocessing: Preprocessing,
    per_channel: bool = True,
) -> keras.Model:
    """Wrap a deploy form so that it computes what its int8 file will compute.

    Args:
        deployed: from `deploy_form`.
        pictures: (N, h, w, c) float32, normalised, for the ranges.
        preprocessing: fixes the input's range.
        per_channel: one weight scale per output channel, or one per tensor.

    Returns:
        A model of the same shapes with the deploy form's weights, to be fine-tuned.
    """
    ranges = calibrate(deployed, pictures)
    inputs = keras.Input(deployed.input_shape[1:], name=INPUT_NAME)
    pixels = QuantizedLayer(
        keras.layers.Activation("linear", name="normalised"),
        Int8Config(input_range(preprocessing)),
    )
    tensors = {id(deployed.input): pixels(inputs)}
    for layer in deployed.layers[1:]:
        sources = [tensors[id(tensor)] for tensor in input_tensors(layer)]
        new = copy_layer(layer)
        if layer.get_weights():
            # Before wrapping: a wrapper puts the rounded kernel in the kernel's place.
            new.build(layer.input_shape)
            new.set_weights(layer.get_weights())
        config = Int8Config(ranges.get(layer.name), per_channel)
        tensors[id(layer.output)] = QuantizedLayer(new, config)(
            sources if len(sources) > 1 else sources[0]
        )
    return keras.Model(inputs, tensors[id(deployed.output)], name=f"{deployed.name}_int8")
