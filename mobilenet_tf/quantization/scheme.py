"""How weights and activations become int8 in training: TFMOT quantizers for the deploy form.

Weights are symmetric, one scale per output channel, for depthwise kernels too, as TFLite runs
them. TFMOT's own 8-bit scheme looks at a kernel's last axis, which is 1 for a depthwise kernel,
and so trains it against one range. Activations have one range per tensor, asymmetric.
"""

import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from mobilenet_tf.models.layers import HardSwish
from mobilenet_tf.quantization.deploy import CONVOLUTIONS, ShiftedReLU6

_keras = tfmot.quantization.keras

# A channel whose weights are all but zero would make its bias overflow 32 bits: no channel's
# range is narrower than this share of the widest one's.
_NARROWEST_CHANNEL = 2.0**-12

# int8 softmax has one output quantization in every runtime: scale 1/256, zero point -128.
SOFTMAX_RANGE = (0.0, 255 / 256)


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class KernelQuantizer(_keras.quantizers.Quantizer):
    """Symmetric int8 weights in -127..127; the scale is the weights' own, at every step.

    Attributes:
        per_channel: one scale per output channel, or one for the tensor.
    """

    def __init__(self, per_channel: bool = True):
        self.per_channel = per_channel

    def build(self, tensor_shape, name, layer):
        self._shape = tuple(tensor_shape)
        # A depthwise kernel is (h, w, C, m) with C * m output channels.
        self._depthwise = isinstance(layer.layer, keras.layers.DepthwiseConv2D)
        return {}

    def __call__(self, inputs, training, weights, **kwargs):
        kernel = tf.convert_to_tensor(inputs)
        if not self.per_channel:
            limit = tf.stop_gradient(tf.reduce_max(tf.abs(kernel)))
            return tf.quantization.fake_quant_with_min_max_vars(
                kernel, -limit, limit, num_bits=8, narrow_range=True
            )
        if self._depthwise:
            height, width, channels, multiplier = self._shape
            kernel = tf.reshape(kernel, (height, width, 1, channels * multiplier))
        axes = list(range(len(kernel.shape) - 1))
        limit = tf.reduce_max(tf.abs(kernel), axis=axes)
        limit = tf.maximum(limit, _NARROWEST_CHANNEL * tf.reduce_max(limit))
        limit = tf.stop_gradient(limit)
        kernel = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            kernel, -limit, limit, num_bits=8, narrow_range=True
        )
        return tf.reshape(kernel, self._shape)

    def get_config(self):
        return {"per_channel": self.per_channel}


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class RangeQuantizer(_keras.quantizers.Quantizer):
    """Asymmetric int8 values within a range that calibration set and training keeps."""

    def __init__(self, low: float, high: float):
        self.low, self.high = float(low), float(high)

    def build(self, tensor_shape, name, layer):
        def weight(suffix, value):
            initializer = keras.initializers.Constant(value)
            return layer.add_weight(f"{name}_{suffix}", initializer=initializer, trainable=False)

        return {"low": weight("low", self.low), "high": weight("high", self.high)}

    def __call__(self, inputs, training, weights, **kwargs):
        return tf.quantization.fake_quant_with_min_max_vars(
            inputs, weights["low"], weights["high"], num_bits=8
        )

    def get_config(self):
        return {"low": self.low, "high": self.high}


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class Int8Config(_keras.QuantizeConfig):
    """What of one layer becomes int8: its kernel, if it has one, and its output.

    Attributes:
        output: (low, high) of the output, or None where the output is not a tensor of its own
            in the file, or has its input's range.
        per_channel: see `KernelQuantizer`.
    """

    def __init__(self, output: tuple[float, float] | None, per_channel: bool = True):
        self.output, self.per_channel = output, per_channel

    def get_weights_and_quantizers(self, layer):
        name = kernel_name(layer)
        return [(getattr(layer, name), KernelQuantizer(self.per_channel))] if name else []

    def set_quantize_weights(self, layer, quantize_weights):
        for weight in quantize_weights:
            setattr(layer, kernel_name(layer), weight)

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_output_quantizers(self, layer):
        return [RangeQuantizer(*self.output)] if self.output else []

    def get_config(self):
        return {"output": self.output, "per_channel": self.per_channel}


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class QuantizedLayer(_keras.QuantizeWrapperV2):
    """TFMOT's wrapper, which lists a layer's weights by its state before the first call.

    A layer that is read back from a file is not built by then, so its bias would be missed.
    """

    def __init__(self, layer, quantize_config, **kwargs):
        super().__init__(layer, quantize_config, name_prefix="", **kwargs)

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        super().build(input_shape)


def kernel_name(layer: keras.layers.Layer) -> str | None:
    """The attribute that holds a layer's kernel, or None."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "depthwise_kernel"
    return "kernel" if isinstance(layer, CONVOLUTIONS) else None


def custom_objects() -> dict:
    """What `keras.models.load_model` must know to read a `qat.keras`."""
    own = (KernelQuantizer, RangeQuantizer, Int8Config, QuantizedLayer, ShiftedReLU6, HardSwish)
    return {cls.__name__: cls for cls in own}
