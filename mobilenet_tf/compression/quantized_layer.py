"""A layer of the quantization-aware network: rounding in training, integers at inference."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from mobilenet_tf.compression import integers
from mobilenet_tf.compression.deploy import ShiftedReLU6
from mobilenet_tf.compression.integers import Grid
from mobilenet_tf.compression.scheme import Int8Config
from mobilenet_tf.compression.weight_quantizers import KernelQuantizer


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class QuantizedLayer(tfmot.quantization.keras.QuantizeWrapperV2):
    """TFMOT's wrapper with the file's own arithmetic at inference.

    `training=True` is TFMOT's network of rounded floats: it has gradients, and the converter
    reads ranges from it. `training=False` computes what the int8 kernels compute, on float tensors.
    """

    convert_in_training_mode = True  # see `deployment.tflite.convert.traced`

    def __init__(self, layer: keras.layers.Layer, quantize_config: Int8Config, **kwargs: Any):
        super().__init__(layer, quantize_config, name_prefix="", **kwargs)

    def build(self, input_shape: Any) -> None:
        """Build the wrapped layer first."""
        # The wrapper lists the weights that exist by now; a layer read from a file has none yet.
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        super().build(input_shape)

    @property
    def weight(self) -> tf.Variable | None:
        """The kernel before rounding, or None."""
        return self._weight_vars[0][0] if self._weight_vars else None

    @property
    def weight_quantizer(self) -> KernelQuantizer:
        """What rounds the kernel."""
        quantizer: KernelQuantizer = self._weight_vars[0][1]
        return quantizer

    @tf.autograph.experimental.do_not_convert  # nothing to convert, which takes seconds per network
    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> tf.Tensor:
        """Compute the output: rounded floats in training, the file's integers otherwise."""
        if _only_shapes_count(self):
            return self.layer(inputs)
        # Training may replace a layer's class by a faster subclass.
        kernel = next((_KERNELS[one] for one in type(self.layer).__mro__ if one in _KERNELS), None)
        if training or kernel is None:
            outputs = super().call(inputs, training=True, **kwargs)
            self.quantize_config.set_quantize_weights(
                self.layer, [variable for variable, _, _ in self._weight_vars]
            )
            return outputs
        config = self.quantize_config
        return kernel(self, inputs, [Grid.of(x) for x in config.inputs], Grid.of(config.output))


def _only_shapes_count(layer: keras.layers.Layer) -> bool:
    """Return whether Keras calls a layer to learn the output's shape, in a graph that never runs.

    It does so for every layer of a new network, in a graph with the layer's name. Tracing the
    integers' arithmetic there would take most of the time in which a network is read.
    """
    graph = tf.compat.v1.get_default_graph()
    return getattr(graph, "name", "") == f"{layer.name}_scratch_graph"


def integer_bias(layer: QuantizedLayer) -> tf.Tensor:
    """Return the int32 bias that a convolution has in the file, in float64: (output channels,)."""
    (source,) = layer.quantize_config.inputs
    unit = _precise_scale(layer) * Grid.of(source).precise
    return tf.round(tf.cast(layer.layer.bias, tf.float64) / unit)


def _precise_scale(layer: QuantizedLayer) -> tf.Tensor:
    """The kernel's scale before the file rounds it to float32; see `Grid.precise`."""
    return tf.cast(layer.weight_quantizer.limits(layer.weight), tf.float64) / 127.0


# The kernels: (wrapper, what it reads, the grids of these tensors, the output's grid) -> output.


def _convolution(layer: QuantizedLayer, source: Any, grids: list[Grid], output: Grid) -> tf.Tensor:
    weight, quantizer = layer.weight, layer.weight_quantizer
    assert weight is not None  # of a convolution
    depthwise = isinstance(layer.layer, keras.layers.DepthwiseConv2D)
    scale = tf.cast(_precise_scale(layer), tf.float32)
    by_channel = tf.reshape(scale, weight.shape[-2:]) if depthwise and scale.shape.rank else scale
    kernel = tf.round(quantizer(weight, False, {}) / by_channel)
    operation = tf.nn.depthwise_conv2d if depthwise else tf.nn.conv2d
    strides, padding = (1, *layer.layer.strides, 1), layer.layer.padding.upper()
    total = operation(
        grids[0].integers(source), kernel, strides, padding, dilations=layer.layer.dilation_rate
    )
    # In 64 bits, because graphs divide by multiplying with 1 / output.scale.
    multiplier = tf.cast(grids[0].scale * scale, tf.float64) / float(output.scale)
    total += tf.cast(integer_bias(layer), tf.float32)
    return integers.convolution(total, tf.cast(multiplier, tf.float32), output)


def _multiply(layer: QuantizedLayer, sources: Any, grids: list[Grid], output: Grid) -> tf.Tensor:
    return integers.multiply(sources[0], sources[1], grids[0], grids[1], output)


def _add(layer: QuantizedLayer, sources: Any, grids: list[Grid], output: Grid) -> tf.Tensor:
    return integers.add(sources[0], sources[1], grids[0], grids[1], output)


def _shifted_relu6(
    layer: QuantizedLayer, source: Any, grids: list[Grid], output: Grid
) -> tf.Tensor:
    three = tf.fill((1, 1, 1, 1), np.float32(3))
    # The clamp to the output's range, from 0 to at most 6, is the relu6.
    return integers.add(source, three, grids[0], integers.THREE, output)


def _mean(layer: QuantizedLayer, source: Any, grids: list[Grid], output: Grid) -> tf.Tensor:
    mean = integers.mean(source, grids[0], output)
    return mean if layer.layer.keepdims else tf.squeeze(mean, (1, 2))


def _upsampled(layer: QuantizedLayer, source: Any, grids: list[Grid], output: Grid) -> tf.Tensor:
    # Weights of 1/4 and 3/4 keep sums exact; halves are rounded upwards.
    return output.real(tf.floor(layer.layer(output.integers(source)) + 0.5))


def _unchanged(layer: QuantizedLayer, source: Any, grids: list[Grid], output: Grid) -> tf.Tensor:
    return layer.layer(source)


_KERNELS = {
    keras.layers.Conv2D: _convolution,
    keras.layers.DepthwiseConv2D: _convolution,
    keras.layers.Multiply: _multiply,
    keras.layers.Add: _add,
    ShiftedReLU6: _shifted_relu6,
    keras.layers.GlobalAveragePooling2D: _mean,
    keras.layers.Flatten: _unchanged,
    keras.layers.Reshape: _unchanged,
    keras.layers.ZeroPadding2D: _unchanged,
    keras.layers.GlobalMaxPooling2D: _unchanged,
    keras.layers.MaxPooling2D: _unchanged,
    keras.layers.Concatenate: _unchanged,
    keras.layers.UpSampling2D: _upsampled,
}
