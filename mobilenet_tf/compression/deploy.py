"""The deploy form: the same function as the canonical network, arranged for integers.

Batch normalization becomes part of the kernel before it and padding part of the convolution.
Hard-swish and hard-sigmoid lose their division by 6, which the kernels after them carry. What
remains are plain layers with one output and one range each, so quantization can address every
tensor that the integer file will hold.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import same_padding
from mobilenet_tf.networks.keras_model import HardSigmoid, HardSwish

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
# Layers with f(c * x) = c * f(x) for a positive constant c.
_SCALE_FREE = (
    keras.layers.ReLU,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.MaxPooling2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.UpSampling2D,
)


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class ShiftedReLU6(keras.layers.Layer):
    """relu6(x + 3): six times the hard-sigmoid."""

    def call(self, inputs: Any) -> Any:
        """Compute relu6(x + 3) element by element."""
        return keras.backend.relu(inputs + 3.0, max_value=6.0)


@dataclass
class _Value:
    """A tensor of the new graph that holds `factor` times the canonical tensor."""

    tensor: Any
    factor: float = 1.0
    convolution: keras.layers.Layer | None = None  # its producer, if that has no activation


def deploy_form(model: keras.Model, fuse_hard_swish: bool = False) -> keras.Model:
    """Rearrange a canonical network for integer arithmetic without changing its function.

    Args:
        model: Flat functional network of the layers in `mobilenet_tf.networks.keras_model`, with
            every layer used once.
        fuse_hard_swish: Whether hard-swish stays one layer, for hardware that has an instruction
            for it. By default it becomes x * relu6(x + 3), which all CPU kernel libraries run.

    Returns:
        A new model with the same input and output shapes and its own weights. Layers that remain
        keep their names. Dropout is gone, because it does nothing at inference.

    Raises:
        UserError: A layer has no integer form here.
    """
    return _Deployer(model, fuse_hard_swish).build()


class _Deployer:
    """Converts a network layer by layer."""

    def __init__(self, model: keras.Model, fuse_hard_swish: bool):
        self.model = model
        self.fuse_hard_swish = fuse_hard_swish
        self.weights: dict[keras.layers.Layer, list[np.ndarray]] = {}  # new layer: kernel, bias
        self.values: dict[int, _Value] = {}  # by id of the canonical tensor
        self.readers: Counter[int] = Counter()  # number of layers that read a canonical tensor
        self.next: dict[int, keras.layers.Layer] = {}  # the last of them
        for layer in model.layers:
            for tensor in input_tensors(layer):
                self.readers[id(tensor)] += 1
                self.next[id(tensor)] = layer

    def build(self) -> keras.Model:
        """Return the deploy form."""
        for layer in self.model.layers:
            sources = [self.values[id(tensor)] for tensor in input_tensors(layer)]
            self.values[id(layer.output)] = self._convert(layer, sources)
        results = [self._unscaled(tensor) for tensor in self.model.outputs]
        deployed = keras.Model(
            self.values[id(self.model.input)].tensor,
            results[0] if len(results) == 1 else results,
            name=self.model.name,
        )
        for layer, weights in self.weights.items():
            layer.set_weights(weights)
        return deployed

    def _unscaled(self, tensor: Any) -> Any:
        """Return an output at its true scale; a backbone may end in a hard-swish."""
        result = self.values[id(tensor)]
        if result.factor == 1.0:
            return result.tensor
        number = self.model.outputs.index(tensor)
        name = f"unscale_{number}" if number else "unscale"
        return keras.layers.Rescaling(1 / result.factor, name=name)(result.tensor)

    def _convert(self, layer: keras.layers.Layer, sources: list[_Value]) -> _Value:
        if isinstance(layer, keras.layers.InputLayer):
            return _Value(keras.Input(layer.output.shape[1:], name=layer.name))
        if isinstance(layer, CONVOLUTIONS):
            return self._convolution(layer, sources[0])
        if isinstance(layer, keras.layers.BatchNormalization):
            if sources[0].convolution is None:
                raise UserError(f"{layer.name} follows no convolution, so it cannot be folded.")
            return sources[0]
        if isinstance(layer, keras.layers.Dropout):
            return sources[0]
        if isinstance(layer, HardSwish):
            return self._hard_swish(layer, sources[0])
        if isinstance(layer, HardSigmoid):
            # `_convolution` has added the 3 to the bias.
            return _Value(keras.layers.ReLU(6.0, name=layer.name)(sources[0].tensor), 6.0)
        if isinstance(layer, keras.layers.Multiply):
            tensor = copy_layer(layer)([source.tensor for source in sources])
            return _Value(tensor, float(np.prod([source.factor for source in sources])))
        if isinstance(layer, (keras.layers.Add, keras.layers.Concatenate)):
            return self._joined(layer, sources)
        if isinstance(layer, keras.layers.ZeroPadding2D) and self._is_same_padding(layer):
            return sources[0]
        if isinstance(layer, _SCALE_FREE):
            if getattr(layer, "max_value", None) is not None:
                _require_unscaled(layer, sources[0])
            tensor = sources[0].tensor
            if isinstance(layer, keras.layers.ReLU) and not self._is_fused(layer, sources[0]):
                # Integer kernels activate what they compute, and have no activation alone.
                tensor = keras.layers.MaxPooling2D(1, name=f"{layer.name}/window")(tensor)
            return _Value(copy_layer(layer)(tensor), sources[0].factor)
        if isinstance(layer, (keras.layers.Softmax, keras.layers.Activation)):
            _require_unscaled(layer, sources[0])
            return _Value(copy_layer(layer)(sources[0].tensor))
        raise UserError(f"{layer.name} is a {type(layer).__name__}, which has no deploy form.")

    def _convolution(self, layer: keras.layers.Layer, source: _Value) -> _Value:
        kernel, bias = folded(layer, self._following(layer, keras.layers.BatchNormalization))
        reader = self.next.get(id(layer.output))
        if isinstance(reader, HardSigmoid):
            bias = bias + 3.0
        config = layer.get_config() | {"use_bias": True, "activation": "linear"}
        for name in list(config):
            if name.endswith(("_regularizer", "_constraint")):
                config[name] = None
        pad = getattr(input_tensors(layer)[0], "node", None)
        if pad is not None and self._is_same_padding(pad.layer):
            config["padding"] = "same"
        if isinstance(layer, keras.layers.Dense) and _is_pooled(source.tensor):
            new, tensor = _pointwise(layer, source.tensor)
            kernel = kernel[None, None]
        else:
            new = type(layer).from_config(config)
            tensor = new(source.tensor)
        if bias.size > 1 and bias[0] and (bias == bias[0]).all():
            # TFLite's converter gives equal biases the first channel's scale, which is wrong for
            # all other channels. One bias that differs in its last bit prevents that.
            bias[-1] = np.nextafter(bias[-1], np.float32(np.inf))
        self.weights[new] = [kernel / source.factor, bias]
        if getattr(layer, "activation", None) in (None, keras.activations.linear):
            return _Value(tensor, convolution=new)
        activation = keras.layers.Activation(layer.activation, name=f"{layer.name}_activation")
        return _Value(activation(tensor))

    def _hard_swish(self, layer: keras.layers.Layer, source: _Value) -> _Value:
        _require_unscaled(layer, source)
        if self.fuse_hard_swish:
            return _Value(copy_layer(layer)(source.tensor))
        gate = ShiftedReLU6(name=f"{layer.name}/gate")(source.tensor)
        product = keras.layers.Multiply(name=layer.name)([source.tensor, gate])
        return _Value(product, 6.0)

    def _joined(self, layer: keras.layers.Layer, sources: list[_Value]) -> _Value:
        """Bring all sides to the largest factor by scaling the other sides' convolutions."""
        factor = max(source.factor for source in sources)
        for source in sources:
            if source.factor != factor:
                if source.convolution is None:
                    raise UserError(
                        f"{layer.name} joins tensors whose scales cannot be made equal."
                    )
                ratio = factor / source.factor
                weights = self.weights[source.convolution]
                self.weights[source.convolution] = [value * ratio for value in weights]
        return _Value(copy_layer(layer)([source.tensor for source in sources]), factor)

    def _is_fused(self, layer: keras.layers.ReLU, source: _Value) -> bool:
        """Whether a convolution computes nothing but the input of this activation."""
        return source.convolution is not None and self.readers[id(layer.input)] == 1

    def _following(self, layer: keras.layers.Layer, kind: Any) -> keras.layers.Layer | None:
        """The only reader of a layer's output, if it is of that kind."""
        reader = self.next.get(id(layer.output))
        alone = self.readers[id(layer.output)] == 1
        return reader if alone and isinstance(reader, kind) else None

    def _is_same_padding(self, layer: keras.layers.Layer) -> bool:
        """Whether this padding and the convolution after it equal one with padding "same"."""
        if not isinstance(layer, keras.layers.ZeroPadding2D):
            return False
        convolution = self._following(layer, CONVOLUTIONS)
        if convolution is None or convolution.padding != "valid":
            return False
        sizes = layer.input.shape[1:3]
        return all(
            tuple(pad) == same_padding(size, kernel, stride)
            for pad, size, kernel, stride in zip(
                layer.padding, sizes, convolution.kernel_size, convolution.strides, strict=True
            )
        )


def folded(
    layer: keras.layers.Layer, norm: keras.layers.BatchNormalization | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias of a convolution with the batch normalization after it, if any.

    Returns:
        (kernel, bias), float32; the kernel in the layer's own shape, the bias (channels,).
    """
    kernel, *biases = [weight.astype(np.float64) for weight in layer.get_weights()]
    bias = biases[0] if biases else np.zeros(layer.output.shape[-1])
    if norm is not None:
        mean, scale, shift = normalization(norm)
        bias = (bias - mean) * scale + shift
        # A depthwise kernel is (h, w, C, m); its last two axes are the output channels.
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        kernel = kernel * (scale.reshape(kernel.shape[-2:]) if depthwise else scale)
    return kernel.astype(np.float32), bias.astype(np.float32)


def normalization(norm: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a batch normalization does at inference: (x - mean) * scale + shift.

    Args:
        norm: The layer, of tf_keras or of Keras 3.

    Returns:
        (mean, scale, shift), each (channels,); the scale is float64.
    """
    variance = np.asarray(norm.moving_variance).astype(np.float64)
    scale = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma)
    mean = np.asarray(norm.moving_mean)
    return mean, scale, np.asarray(norm.beta) if norm.center else np.zeros_like(mean)


def _is_pooled(tensor: Any) -> bool:
    pool = tensor.node.layer
    return isinstance(pool, keras.layers.GlobalAveragePooling2D) and not pool.keepdims


def _pointwise(dense: keras.layers.Dense, tensor: Any) -> tuple[keras.layers.Layer, Any]:
    """A classifier as a 1x1 convolution, which has one weight scale per class in the file.

    TFLite's fully connected layer has a single scale in all but its newest versions.
    """
    pool = tensor.node.layer
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True, name=pool.name)(pool.input)
    convolution = keras.layers.Conv2D(dense.units, 1, name=dense.name)
    flat = keras.layers.Flatten(name=f"{dense.name}/flat")
    return convolution, flat(convolution(pooled))


def input_tensors(layer: keras.layers.Layer) -> list[Any]:
    """Return the tensors that a layer reads; none for an input."""
    if isinstance(layer, keras.layers.InputLayer):
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]


def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer of the same configuration, without weights."""
    return type(layer).from_config(layer.get_config())


def _require_unscaled(layer: keras.layers.Layer, source: _Value) -> None:
    if source.factor != 1.0:
        raise UserError(f"{layer.name} would clip a scaled tensor, so it has no deploy form here.")
