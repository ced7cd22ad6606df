"""What the layers of a flat form compute, and how it becomes tensors; see `flat_form`."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_model import HardSigmoid, HardSwish

LAYERS = keras.layers


@dataclass(eq=False)
class Value:
    """What a layer computes, in the flat form.

    Of a convolution it is made as late as possible, so that what follows can be folded into it.

    Attributes:
        readers: Number of layers that read it.
        tensor: The tensor (N, h, w, c), once it is made; (N, c) only behind a softmax.
        convolution: The layer that computes it, and its weights: kernel, bias.
        source: What the convolution reads.
        inner, scale, offset: It is inner * scale + offset, per channel.
        gate: It is relu6(gate + 3).
        hard_sigmoid_of, sigmoid_of: It is that function of this value.
    """

    readers: int = 1
    tensor: Any = None
    convolution: keras.layers.Layer | None = None
    weights: Sequence[np.ndarray] = ()
    source: Any = None
    inner: "Value | None" = None
    scale: np.ndarray = field(default_factory=lambda: np.ones(1))
    offset: np.ndarray = field(default_factory=lambda: np.zeros(1))
    gate: "Value | None" = None
    hard_sigmoid_of: "Value | None" = None
    sigmoid_of: "Value | None" = None


class Builder:
    """Makes the tensors of the flat form."""

    def __init__(self) -> None:
        self._weights: list[tuple[keras.layers.Layer, Sequence[np.ndarray]]] = []
        self._names: Counter[str] = Counter()

    def name(self, wanted: str) -> str:
        """Return a name that no other layer of the flat form has."""
        self._names[wanted] += 1
        count = self._names[wanted]
        return wanted if count == 1 else self.name(f"{wanted}_{count}")

    def tensor(self, value: Value) -> Any:
        """Return the tensor of a value, which is made when it is first needed."""
        if value.tensor is None and value.gate is not None:
            moved = Value(inner=value.gate, offset=np.full(1, 3.0))
            value.tensor = LAYERS.ReLU(6.0, name=self.name("gate"))(self.tensor(moved))
        elif value.tensor is None:
            self._settle(value)
            assert value.convolution is not None  # of what is not made yet
            value.tensor = value.convolution(value.source)
            self._weights.append((value.convolution, value.weights))
        if len(value.tensor.shape) != 4:
            raise UserError("Layers behind a softmax have no integer form here.")
        return value.tensor

    def _settle(self, value: Value) -> None:
        """Make a convolution of what multiplies and adds per channel."""
        inner = value.inner
        if inner is None:
            return
        if inner.tensor is None and inner.gate is None:
            self._settle(inner)
            if inner.readers == 1:
                kernel, bias = inner.weights
                depthwise = isinstance(inner.convolution, LAYERS.DepthwiseConv2D)
                scale = np.broadcast_to(value.scale, bias.shape)
                by_channel = scale.reshape(kernel.shape[-2:]) if depthwise else scale
                value.convolution, value.source = inner.convolution, inner.source
                value.weights = kernel * by_channel, bias * scale + value.offset
                return
        value.source = self.tensor(inner)
        shape = value.source.shape[3:]
        value.convolution = LAYERS.DepthwiseConv2D(1, name=self.name("scale"))
        value.weights = (
            np.broadcast_to(value.scale, shape).reshape(1, 1, -1, 1),
            np.broadcast_to(value.offset, shape),
        )

    def finish(self, image: Any, result: Value, vector: bool, name: str) -> keras.Model:
        """Return the model from an image to a value."""
        if result.tensor is None or len(result.tensor.shape) == 4:
            output = self.tensor(result)
            output = LAYERS.Flatten(name=self.name("flat"))(output) if vector else output
        else:
            output = result.tensor
        model = keras.Model(image, output, name=name)
        for layer, weights in self._weights:
            layer.set_weights(weights)
        return model

    def affine(self, value: Value, scale: Any, offset: Any, channels: int) -> Value:
        """Return value * scale + offset."""
        scale, offset = (np.asarray(one, np.float64).reshape(-1) for one in (scale, offset))
        if not {scale.size, offset.size} <= {1, channels}:
            raise UserError("Arithmetic with numbers other than one per channel has no form here.")
        if value.gate is not None and not offset.any() and np.allclose(scale, 1 / 6):
            return self.hard_sigmoid(value.gate)
        if value.sigmoid_of is not None and (scale == -1).all() and (offset == 1).all():
            negative = self.affine(value.sigmoid_of, -1, 0, channels)  # 1 - s(x) = s(-x)
            return self.activated(negative, "sigmoid")
        return Value(inner=value, scale=scale, offset=offset)

    def activated(self, value: Value, function: str) -> Value:
        """Return an activation of a value, by its name in Keras."""
        if function not in ACTIVATIONS:
            raise UserError(f"The activation {function} has no integer form here.")
        return ACTIVATIONS[function](self, value)

    def relu(self, value: Value, most: float | None) -> Value:
        """Return relu(value), at most `most`."""
        if most not in (None, 6.0):
            raise UserError(f"A ReLU up to {most:g} has no integer form here.")
        moved = value.inner is not None and (value.scale == 1).all() and (value.offset == 3).all()
        if most and moved:
            return Value(gate=value.inner)
        layer = LAYERS.ReLU(most, name=self.name("relu6" if most else "relu"))
        return Value(tensor=layer(self.tensor(value)))

    def sigmoid(self, value: Value) -> Value:
        """Return the sigmoid of a value."""
        layer = LAYERS.Activation("sigmoid", name=self.name("sigmoid"))
        return Value(tensor=layer(self.tensor(value)), sigmoid_of=value)

    def hard_sigmoid(self, value: Value) -> Value:
        """Return relu6(value + 3) / 6."""
        layer = HardSigmoid(name=self.name("hard_sigmoid"))
        return Value(tensor=layer(self.tensor(value)), hard_sigmoid_of=value)

    def softmax(self, value: Value) -> Value:
        """Return the softmax of a vector."""
        flat = LAYERS.Flatten(name=self.name("flat"))(self.tensor(value))
        return Value(tensor=LAYERS.Softmax(name=self.name("softmax"))(flat))

    def product(self, first: Value, second: Value) -> Value:
        """Return the product of two values."""
        for one, other in ((first, second), (second, first)):
            if other.hard_sigmoid_of is one:
                layer = HardSwish(name=self.name("hard_swish"))
                return Value(tensor=layer(self.tensor(one)))
        return self.merged(LAYERS.Multiply, [first, second])

    def merged(self, kind: Any, values: Sequence[Value]) -> Value:
        """Return what a layer makes of several values."""
        if len(values) != 2 and kind is not LAYERS.Concatenate:
            raise UserError(f"{kind.__name__} of {len(values)} tensors has no integer form here.")
        name = self.name(kind.__name__.lower())
        return Value(tensor=kind(name=name)([self.tensor(value) for value in values]))


def _hard_swish(build: Builder, value: Value) -> Value:
    return build.product(value, build.hard_sigmoid(value))


def _swish(build: Builder, value: Value) -> Value:
    return build.product(value, build.sigmoid(value))


ACTIVATIONS: dict[str, Callable[[Builder, Value], Value]] = {
    "linear": lambda build, value: value,
    "relu": lambda build, value: build.relu(value, None),
    "relu6": lambda build, value: build.relu(value, 6.0),
    "sigmoid": Builder.sigmoid,
    "softmax": Builder.softmax,
    **dict.fromkeys(("swish", "silu"), _swish),
    **dict.fromkeys(("hard_swish", "hard_silu"), _hard_swish),
}
