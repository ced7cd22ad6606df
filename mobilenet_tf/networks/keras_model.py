"""A network's graph -> a Keras model in the layout of the published weights.

Only plain Keras layers and the two classes below go into a model: the deploy form and TensorFlow
Model Optimization walk it layer by layer and know no other operation.
"""

from collections.abc import Callable
from math import log
from typing import Any

import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import BN_EPSILON, UNPADDED, Graph, Op, same_padding
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.published.names import ACTIVATION, NORM, PAD, layer_name
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

# The momentum is V3's (paper, 6.1) and not Keras's 0.999: on
# a few thousand images the running statistics would lag by hundreds of steps.
BN_MOMENTUM = 0.99
POOLINGS = (None, "avg", "max")


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class HardSigmoid(keras.layers.Layer):
    """relu6(x + 3) / 6 (V3, 5.2)."""

    def call(self, inputs: Any) -> Any:
        return keras.backend.relu(inputs + 3.0, max_value=6.0) * (1.0 / 6.0)


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class HardSwish(keras.layers.Layer):
    """x * relu6(x + 3) / 6 (V3, 5.2); the converter knows this form as one operation."""

    def call(self, inputs: Any) -> Any:
        return inputs * (keras.backend.relu(inputs + 3.0, max_value=6.0) * (1.0 / 6.0))


# The classes that Keras needs to read these networks.
OWN_LAYERS = {cls.__name__: cls for cls in (HardSigmoid, HardSwish)}

_ACTIVATIONS: dict[str, Callable[[str], keras.layers.Layer]] = {
    "relu": lambda name: keras.layers.ReLU(name=name),
    "relu6": lambda name: keras.layers.ReLU(6.0, name=name),
    "hard_swish": lambda name: HardSwish(name=name),
    "hard_sigmoid": lambda name: HardSigmoid(name=name),
    "sigmoid": lambda name: keras.layers.Activation("sigmoid", name=name),
}


def build(
    name: str,
    alpha: float = 1.0,
    size: int | tuple[int, int] = 224,
    classes: int = 1000,
    channels: int = 3,
    **options: Any,
) -> keras.Model:
    """Build a network of the zoo with random weights.

    Args:
        name: Name of a network of the zoo, such as `v3_small`; see `networks.zoo.ZOO`.
        alpha: Width multiplier, greater than 0.
        size: Side of the square input in pixels, at least 32, or (height, width).
        classes: Number of classes.
        channels: 3 (RGB) or 1 (grey).
        options: `include_top`, `pooling` and `dropout` of `build_network`.

    Returns:
        As `build_network`.

    Raises:
        UserError: A value is not accepted.
    """
    return build_network(make_network(name, alpha, size, classes, channels), **options)


def build_network(
    network: Network,
    include_top: bool = True,
    pooling: str | None = None,
    dropout: float | None = None,
) -> keras.Model:
    """Build the Keras model of a network with random weights.

    Args:
        network: The network.
        include_top: Whether to build the head, or to stop at the features.
        pooling: Pooling of the features: None keeps the map, `avg` and `max` reduce it to a vector.
        dropout: Dropout rate before the classifier; None keeps the network's.

    Returns:
        A flat functional model from (None, height, width, channels), float32 in about [-1, 1], to
        class probabilities or logits (None, classes), to the outputs of a detector in the order of
        `Graph.outputs`, or to features where `include_top` is False. The
        model's `network` attribute is the network; it is not saved with the model.

    Raises:
        UserError: A value is not accepted.
    """
    if pooling not in POOLINGS:
        raise UserError(f"pooling is {pooling!r}; it must be None, 'avg' or 'max'.")
    if include_top and pooling:
        raise UserError(f"pooling is {pooling!r}; with include_top it must be None.")
    graph = lower(network.with_dropout(dropout))
    if not include_top:
        graph = graph.backbone()
    tensors = KerasBuilder(graph, network.layer_names).tensors()
    outputs = [_pooled(tensors[op.name], pooling) for op in graph.outputs]
    size = network.input.size_text
    model = keras.Model(
        tensors[graph.input.name],
        outputs[0] if len(outputs) == 1 else outputs,
        name=f"{network.name}_{network.alpha}_{size}",
    )
    model.network = network
    return model


def _bias(op: Op) -> keras.initializers.Initializer:
    if op.prior is None:
        return keras.initializers.Zeros()
    return keras.initializers.Constant(log(op.prior / (1 - op.prior)))


def _pooled(x: Any, pooling: str | None) -> Any:
    if pooling == "avg":
        return keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if pooling == "max":
        return keras.layers.GlobalMaxPooling2D(name="max_pool")(x)
    return x


class KerasBuilder:
    """Makes the Keras tensor of every operation; one method per kind of operation."""

    def __init__(self, graph: Graph, scheme: str):
        self.graph, self.scheme = graph, scheme
        self.owners: dict[str, tuple[str, str]] = {}
        # Without any normalization, only He's variance keeps the size of activations.
        normalized = any(op.norm for op in graph)
        self.initializer = "glorot_uniform" if normalized else "he_uniform"

    def tensors(self) -> dict[str, Any]:
        """Return operation -> the Keras tensor of its output."""
        made: dict[str, Any] = {}
        for op in self.graph:
            inputs = [made[name] for name in op.inputs]
            x = getattr(self, op.kind)(op, *inputs)
            made[op.name] = self.finished(op, x)
        return made

    def _name(self, op: Op, role: str = "") -> str:
        """Return the name of a layer, which no other has.

        Raises:
            UserError: The names are those of another family of networks.
        """
        name = layer_name(self.scheme, op, role)
        if self.owners.setdefault(name, (op.name, role)) != (op.name, role):
            raise UserError(
                f"layer_names is {self.scheme!r}, which calls two layers of this network {name}; "
                "use plain."
            )
        return name

    def finished(self, op: Op, x: Any) -> Any:
        """Append the normalization and the activation of an operation to what its layer returns."""
        if op.norm:
            x = keras.layers.BatchNormalization(
                momentum=BN_MOMENTUM, epsilon=BN_EPSILON, name=self._name(op, NORM)
            )(x)
        if op.activation and op.kind != "activation":
            x = _ACTIVATIONS[op.activation](self._name(op, ACTIVATION))(x)
        return x

    def _padded(self, op: Op, x: Any) -> tuple[Any, str]:
        """Return the input with explicit zeros, if any, and the name of Keras's padding."""
        sides = zip(x.shape[1:3], op.window, op.padding, strict=True)
        same = all(same_padding(n, k, op.stride) == tuple(pad) for n, k, pad in sides)
        # The published models pad strided depthwise kernels with a layer of its own.
        if same and not (op.kind == "depthwise" and op.stride > 1):
            return x, "same"
        if op.padding == UNPADDED:
            return x, "valid"
        return keras.layers.ZeroPadding2D(op.padding, name=self._name(op, PAD))(x), "valid"

    def _dropped(self, op: Op, x: Any) -> Any:
        """Stateful dropout has random numbers of its own, which training can seed again."""
        if not op.dropout:
            return x
        return keras.layers.Dropout(op.dropout, rng_type="stateful", name="dropout")(x)

    def input(self, op: Op) -> Any:
        return keras.Input(op.shape, name=op.name)

    def convolution(self, op: Op, x: Any) -> Any:
        x, padding = self._padded(op, self._dropped(op, x))
        return keras.layers.Conv2D(
            op.shape[2],
            op.kernel,
            strides=op.stride,
            padding=padding,
            dilation_rate=op.dilation,
            use_bias=op.bias and not op.norm,
            kernel_initializer=self.initializer,
            bias_initializer=_bias(op),
            name=self._name(op),
        )(x)

    def depthwise(self, op: Op, x: Any) -> Any:
        x, padding = self._padded(op, x)
        return keras.layers.DepthwiseConv2D(
            op.kernel,
            strides=op.stride,
            padding=padding,
            depth_multiplier=op.shape[2] // x.shape[3],
            dilation_rate=op.dilation,
            use_bias=op.bias and not op.norm,
            depthwise_initializer=self.initializer,
            name=self._name(op),
        )(x)

    def dense(self, op: Op, x: Any) -> Any:
        return keras.layers.Dense(
            op.shape[2], use_bias=op.bias and not op.norm, name=self._name(op)
        )(self._dropped(op, x))

    def max_pool(self, op: Op, x: Any) -> Any:
        x, padding = self._padded(op, x)
        return keras.layers.MaxPooling2D(op.kernel, op.stride, padding, name=self._name(op))(x)

    def mean(self, op: Op, x: Any) -> Any:
        # A dense layer reads vectors.
        readers = [other for other in self.graph if op.name in other.inputs]
        keepdims = not any(reader.kind == "dense" for reader in readers)
        return keras.layers.GlobalAveragePooling2D(keepdims=keepdims, name=self._name(op))(x)

    def multiply(self, op: Op, x: Any, y: Any) -> Any:
        return keras.layers.Multiply(name=self._name(op))([x, y])

    def add(self, op: Op, x: Any, y: Any) -> Any:
        return keras.layers.Add(name=self._name(op))([x, y])

    def concatenate(self, op: Op, *inputs: Any) -> Any:
        return keras.layers.Concatenate(name=self._name(op))(list(inputs))

    def upsample(self, op: Op, x: Any) -> Any:
        return keras.layers.UpSampling2D(interpolation="bilinear", name=self._name(op))(x)

    def activation(self, op: Op, x: Any) -> Any:
        return _ACTIVATIONS[str(op.activation)](self._name(op))(x)

    def flatten(self, op: Op, x: Any) -> Any:
        # A dense layer returns a vector.
        return keras.layers.Flatten(name=self._name(op))(x) if len(x.shape) == 4 else x

    def softmax(self, op: Op, x: Any) -> Any:
        if len(x.shape) == 4:
            x = keras.layers.Flatten(name="flatten")(x)
        return keras.layers.Softmax(name=self._name(op))(x)
