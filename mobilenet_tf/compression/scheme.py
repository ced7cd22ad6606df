"""How weights and activations become int8 in training: TFMOT quantizers for the deploy form.

Weights are symmetric with one scale per output channel, for depthwise kernels too, as TFLite runs
them. TFMOT's own 8-bit scheme takes the kernel's last axis, which has length 1 for a depthwise
kernel, and so trains it with one range. Activations have one range per tensor, asymmetric.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
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

    Weights of fewer bits are int8 weights with a larger scale, so that the range reaches further
    than they do.

    Attributes:
        per_channel: Whether there is one scale per output channel, or one for the tensor.
        bias: Bias of the same layer.
        source: Range of the tensor that the layer reads.
        bits: Bits of the weights: of 4, the integers are -7..7.
    """

    def __init__(
        self, per_channel: bool, bias: tf.Variable, source: tuple[float, float], bits: int = 8
    ):
        self.per_channel, self.bias, self.source = per_channel, bias, source
        self.bits = bits

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Remember the kernel's shape; see TFMOT's `Quantizer`."""
        self._shape = tuple(tensor_shape)
        # A depthwise kernel is (h, w, C, m) with C * m output channels.
        self._depthwise = isinstance(layer.layer, keras.layers.DepthwiseConv2D)
        return {}

    def limits(self, kernel: tf.Tensor) -> tf.Tensor:
        """Return the largest magnitude of the range: () per tensor, or (output channels,)."""
        limit = self._widest(kernel)
        if not self.per_channel:
            return limit
        narrowest = _NARROWEST_CHANNEL * tf.reduce_max(limit)
        step = tf.abs(self.bias) / (_LARGEST_BIAS * Grid.of(self.source).scale)
        return tf.maximum(limit, tf.maximum(narrowest, 127 * step))

    def _widest(self, kernel: tf.Tensor) -> tf.Tensor:
        """Return the largest magnitude that the kernel asks for."""
        kernel = tf.abs(self._by_channel(kernel))
        axes = list(range(len(kernel.shape) - 1)) if self.per_channel else None
        return tf.reduce_max(kernel, axis=axes) * (127 / largest_integer(self.bits))

    def in_range(self, kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return a kernel in shares of its range, from -1 to 1, in another shape; and `limits`."""
        limit = self.limits(kernel)
        return self._by_channel(kernel) / limit, limit

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
        return {"per_channel": self.per_channel, "source": self.source, "bits": self.bits}


class StoredScale(KernelQuantizer):
    """int8 weights whose scale is a variable instead of following the largest weight.

    The channels of a kernel with shared weights have their integers in common. A channel need not
    have the largest of them, so that its weights alone do not tell its scale.
    """

    trains_scale = False

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Add the largest magnitude of the range, as in `limits`."""
        super().build(tensor_shape, name, layer)
        channels = self._shape[-2:] if self._depthwise else self._shape[-1:]
        shape = (int(np.prod(channels)),) if self.per_channel else ()
        self.limit = layer.add_weight("limit", shape, trainable=self.trains_scale)
        return {}

    def _widest(self, kernel: tf.Tensor) -> tf.Tensor:
        return tf.convert_to_tensor(self.limit)


class SharedWeights(StoredScale):
    """int8 weights with few values: each is the nearest of a table, times its channel's scale.

    The table is trained by the sum of its weights' gradients (Han et al., "Deep Compression",
    section 3). The weights are trained too, straight through, so that they may change places.

    Attributes:
        values: Size of the table.
    """

    trains_scale = True

    def __init__(
        self, per_channel: bool, bias: tf.Variable, source: tuple[float, float], values: int
    ):
        super().__init__(per_channel, bias, source)
        self.values = values

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Add the table, whose values from -1 to 1 stand for the integers from -127 to 127."""
        super().build(tensor_shape, name, layer)
        self.table = layer.add_weight("table", (self.values,), trainable=True)
        return {}

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> tf.Tensor:
        kernel = tf.convert_to_tensor(inputs)
        limit = self.limits(kernel)
        unit = self._by_channel(kernel) / tf.stop_gradient(limit)
        # Integers, so that all channels round alike whatever their scales.
        table = tf.clip_by_value(tf.sort(self.table), -1.0, 1.0)
        table += tf.stop_gradient(tf.round(127 * table) / 127 - table)
        places = tf.searchsorted((table[1:] + table[:-1]) / 2, tf.reshape(unit, (-1,)))
        shared = tf.reshape(tf.gather(table, places), unit.shape)
        kernel = (shared + (unit - tf.stop_gradient(unit))) * limit
        return super().__call__(tf.reshape(kernel, self._shape), training, weights)


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
        stored_scale: Whether the scale of the kernel is a variable; see `StoredScale`.
        values: Number of values that the kernel's weights share; 0 for any number.
        bits: Bits of the kernel's weights; see `KernelQuantizer`.
    """

    def __init__(
        self,
        inputs: Sequence[Sequence[float]],
        output: Sequence[float],
        rounds: bool = True,
        per_channel: bool = True,
        stored_scale: bool = False,
        values: int = 0,
        bits: int = 8,
    ):
        self.inputs = tuple((low, high) for low, high in inputs)
        self.output = (output[0], output[1])
        self.rounds, self.per_channel = rounds, per_channel
        self.stored_scale, self.values, self.bits = stored_scale, values, bits

    def get_weights_and_quantizers(
        self, layer: keras.layers.Layer
    ) -> list[tuple[tf.Variable, KernelQuantizer]]:
        """Return the layer's kernel and its quantizer, if it has a kernel."""
        name = kernel_name(layer)
        if not name:
            return []
        settings = self.per_channel, layer.bias, self.inputs[0]
        if self.values:
            quantizer: KernelQuantizer = SharedWeights(*settings, self.values)
        else:
            kind = StoredScale if self.stored_scale else KernelQuantizer
            quantizer = kind(*settings, self.bits)
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

    def changed(self, **arguments: Any) -> "Int8Config":
        """Return a copy with other arguments."""
        return Int8Config(**(self.get_config() | arguments))


def largest_integer(bits: int) -> int:
    """Return the largest magnitude of symmetric integers with so many bits."""
    return (1 << (bits - 1)) - 1


def kernel_name(layer: keras.layers.Layer) -> str | None:
    """Return the attribute that holds a layer's kernel, or None."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "depthwise_kernel"
    return "kernel" if isinstance(layer, CONVOLUTIONS) else None
