"""What becomes int8 in a layer of the deploy form: TFMOT's configuration and its quantizers.

Kernels are symmetric with one scale per output channel, see `weight_quantizers`. Activations have
one range per tensor, asymmetric.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from mobilenet_tf.compression.deploy import CONVOLUTIONS
from mobilenet_tf.compression.weight_quantizers import (
    KernelQuantizer,
    Sharing,
    StoredScale,
    quantizer_of,
)

# Softmax and sigmoid have one output quantization in every runtime: scale 1/256, zero point -128.
PROBABILITY_RANGE = (0.0, 255 / 256)


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
        sharing: How the kernel's weights share values, if they do.
        bits: Bits of the kernel's weights; see `KernelQuantizer`.
    """

    def __init__(
        self,
        inputs: Sequence[Sequence[float]],
        output: Sequence[float],
        rounds: bool = True,
        per_channel: bool = True,
        stored_scale: bool = False,
        sharing: Sequence[Any] = Sharing(),
        bits: int = 8,
    ):
        self.inputs = tuple((low, high) for low, high in inputs)
        self.output = (output[0], output[1])
        self.rounds, self.per_channel = rounds, per_channel
        self.stored_scale, self.sharing, self.bits = stored_scale, Sharing(*sharing), bits

    def get_weights_and_quantizers(
        self, layer: keras.layers.Layer
    ) -> list[tuple[tf.Variable, KernelQuantizer]]:
        """Return the layer's kernel and its quantizer, if it has a kernel."""
        name = kernel_name(layer)
        if not name:
            return []
        settings = self.per_channel, layer.bias, self.inputs[0]
        if self.sharing.values:
            quantizer: KernelQuantizer = quantizer_of(self.sharing)(*settings, self.sharing)
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


def kernel_name(layer: keras.layers.Layer) -> str | None:
    """Return the attribute that holds a layer's kernel, or None."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "depthwise_kernel"
    return "kernel" if isinstance(layer, CONVOLUTIONS) else None
