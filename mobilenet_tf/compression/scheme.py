"""How weights and activations become int8 in training: TFMOT quantizers for the deploy form.

Weights are symmetric with one scale per output channel, for depthwise kernels too, as TFLite runs
them. TFMOT's own 8-bit scheme takes the kernel's last axis, which has length 1 for a depthwise
kernel, and so trains it with one range. Activations have one range per tensor, asymmetric.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from mobilenet_tf.compression.deploy import CONVOLUTIONS
from mobilenet_tf.compression.integers import Grid

# The range of a channel is at least this share of the widest channel's, so that a channel whose
# weights are almost zero has a range too.
_NARROWEST_CHANNEL = 2.0**-12
# The bias is an integer in steps of the kernel's scale times the input's. A channel with a bias
# beyond float32's exact integers, and then int32, gets a wider range: its kernel hardly matters.
_LARGEST_BIAS = 2.0**23

# Softmax and sigmoid have one output quantization in every runtime: scale 1/256, zero point -128.
PROBABILITY_RANGE = (0.0, 255 / 256)


class KernelQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """Symmetric int8 weights in -127..127, with the scale taken from the weights at every step.

    Attributes:
        per_channel: Whether there is one scale per output channel, or one for the tensor.
        bias: Bias of the same layer.
        source: Range of the tensor that the layer reads.
    """

    def __init__(self, per_channel: bool, bias: tf.Variable, source: tuple[float, float]):
        self.per_channel, self.bias, self.source = per_channel, bias, source

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Remember the kernel's shape; see TFMOT's `Quantizer`."""
        self._shape = tuple(tensor_shape)
        # A depthwise kernel is (h, w, C, m) with C * m output channels.
        self._depthwise = isinstance(layer.layer, keras.layers.DepthwiseConv2D)
        return {}

    def limits(self, kernel: tf.Tensor) -> tf.Tensor:
        """Return the largest magnitude of the range: () per tensor, or (output channels,)."""
        kernel = tf.abs(self._by_channel(kernel))
        if not self.per_channel:
            return tf.reduce_max(kernel)
        limit = tf.reduce_max(kernel, axis=list(range(len(kernel.shape) - 1)))
        narrowest = _NARROWEST_CHANNEL * tf.reduce_max(limit)
        step = tf.abs(self.bias) / (_LARGEST_BIAS * Grid.of(self.source).scale)
        return tf.maximum(limit, tf.maximum(narrowest, 127 * step))

    def _by_channel(self, kernel: tf.Tensor) -> tf.Tensor:
        if not self._depthwise:
            return kernel
        height, width, channels, multiplier = self._shape
        return tf.reshape(kernel, (height, width, 1, channels * multiplier))

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> tf.Tensor:
        kernel = tf.convert_to_tensor(inputs)
        limit = tf.stop_gradient(self.limits(kernel))
        if not self.per_channel:
            return tf.quantization.fake_quant_with_min_max_vars(
                kernel, -limit, limit, num_bits=8, narrow_range=True
            )
        kernel = self._by_channel(kernel)
        kernel = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            kernel, -limit, limit, num_bits=8, narrow_range=True
        )
        return tf.reshape(kernel, self._shape)

    def get_config(self) -> dict[str, Any]:
        """Return the settings; the bias belongs to the layer."""
        return {"per_channel": self.per_channel, "source": self.source}


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class RangeQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """Asymmetric int8 values within a calibrated range."""

    def __init__(self, low: float, high: float):
        self.low, self.high = float(low), float(high)

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Add no variables, because the range is fixed."""
        return {}

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> tf.Tensor:
        return tf.quantization.fake_quant_with_min_max_args(inputs, self.low, self.high, 8)

    def get_config(self) -> dict[str, Any]:
        """Return the range."""
        return {"low": self.low, "high": self.high}


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class Int8Config(tfmot.quantization.keras.QuantizeConfig):
    """What becomes int8 in one layer: its kernel, if it has one, and its output.

    Attributes:
        inputs: Ranges of the tensors that the layer reads.
        output: Range of the file's tensor for this layer's output.
        rounds: Whether training rounds the output. It does not if the file has one tensor for
            this layer and the ReLU after it, or if the output has its input's range.
        per_channel: See `KernelQuantizer`.
    """

    def __init__(
        self,
        inputs: Sequence[Sequence[float]],
        output: Sequence[float],
        rounds: bool = True,
        per_channel: bool = True,
    ):
        self.inputs = tuple((low, high) for low, high in inputs)
        self.output = (output[0], output[1])
        self.rounds, self.per_channel = rounds, per_channel

    def get_weights_and_quantizers(
        self, layer: keras.layers.Layer
    ) -> list[tuple[tf.Variable, KernelQuantizer]]:
        """Return the layer's kernel and its quantizer, if it has a kernel."""
        name = kernel_name(layer)
        if not name:
            return []
        quantizer = KernelQuantizer(self.per_channel, layer.bias, self.inputs[0])
        return [(getattr(layer, name), quantizer)]

    def set_quantize_weights(self, layer: keras.layers.Layer, quantize_weights: Any) -> None:
        """Put the rounded kernel in the kernel's place."""
        # Without Keras's bookkeeping, which would forget the variable.
        for weight in quantize_weights:
            object.__setattr__(layer, str(kernel_name(layer)), weight)

    def get_activations_and_quantizers(self, layer: keras.layers.Layer) -> list[Any]:
        """Return nothing: activations are layers of their own."""
        return []

    def set_quantize_activations(
        self, layer: keras.layers.Layer, quantize_activations: Any
    ) -> None:
        """Do nothing: activations are layers of their own."""
        return  # AutoGraph cannot transform a function without statements.

    def get_output_quantizers(self, layer: keras.layers.Layer) -> list[RangeQuantizer]:
        """Return the quantizer of the output, if training rounds it."""
        return [RangeQuantizer(*self.output)] if self.rounds else []

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return dict(vars(self))


def kernel_name(layer: keras.layers.Layer) -> str | None:
    """Return the attribute that holds a layer's kernel, or None."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "depthwise_kernel"
    return "kernel" if isinstance(layer, CONVOLUTIONS) else None
