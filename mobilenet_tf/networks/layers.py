"""The layers that MobileNets are made of, and one function per kind of block.

Only plain Keras layers and the two named ones below go into a graph: the deploy form and
TensorFlow Model Optimization walk it layer by layer, and know no other operation.
"""

from dataclasses import dataclass

import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.rows import Block, Network, squeeze_width

# Epsilon is the released checkpoints'. The momentum is V3's (paper, 6.1) and not the 0.999 that
# Keras has: on a few thousand pictures the running statistics would lag by hundreds of steps.
BN_EPSILON = 1e-3
BN_MOMENTUM = 0.99


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class HardSigmoid(keras.layers.Layer):
    """relu6(x + 3) / 6 (V3, 5.2)."""

    def call(self, inputs):
        return keras.backend.relu(inputs + 3.0, max_value=6.0) * (1.0 / 6.0)


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class HardSwish(keras.layers.Layer):
    """x * relu6(x + 3) / 6 (V3, 5.2); the converter knows this form as one operation."""

    def call(self, inputs):
        return inputs * (keras.backend.relu(inputs + 3.0, max_value=6.0) * (1.0 / 6.0))


# What `keras.models.load_model` has to be told of these networks.
OWN_LAYERS = {cls.__name__: cls for cls in (HardSigmoid, HardSwish)}

_ACTIVATIONS = {
    "relu": keras.layers.ReLU,
    "relu6": lambda name: keras.layers.ReLU(6.0, name=name),
    "hard_swish": HardSwish,
}


@dataclass(frozen=True)
class Names:
    """How a family's published files name what follows a convolution called `{}`."""

    norm: str
    activation: str


def activate(x, activation: str | None, name: str):
    """An activation by the name it has in the rows; None is linear.

    Raises:
        UserError: no such activation.
    """
    if activation is None:
        return x
    if activation not in _ACTIVATIONS:
        raise UserError(
            f"activation is {activation!r}; it must be one of {', '.join(_ACTIVATIONS)}."
        )
    return _ACTIVATIONS[activation](name=name)(x)


def normalize(x, activation: str | None, name: str, names: Names):
    """Batch normalization and activation behind the convolution called `name`."""
    x = keras.layers.BatchNormalization(
        momentum=BN_MOMENTUM, epsilon=BN_EPSILON, name=names.norm.format(name)
    )(x)
    return activate(x, activation, names.activation.format(name))


def conv(x, channels: int, activation: str | None, name: str, names: Names, kernel=1, stride=1):
    """Convolution -> batch normalization -> activation."""
    x = keras.layers.Conv2D(
        channels, kernel, strides=stride, padding="same", use_bias=False, name=name
    )(x)
    return normalize(x, activation, name, names)


def depthwise(x, row: Block, network: Network, name: str, names: Names, pad: str):
    """Depthwise convolution -> batch normalization -> activation; `pad` names the padding."""
    if row.stride > 1:
        height, width = x.shape[1:3]
        padding = (network.padding(height, row.kernel), network.padding(width, row.kernel))
        x = keras.layers.ZeroPadding2D(padding, name=pad)(x)
    x = keras.layers.DepthwiseConv2D(
        row.kernel,
        strides=row.stride,
        padding="valid" if row.stride > 1 else "same",
        use_bias=False,
        name=name,
    )(x)
    return normalize(x, row.activation, name, names)


def squeeze_excite(x, prefix: str):
    """Each channel times a weight of 0 to 1 that comes from all channels' means (V3, 5.3)."""
    channels = x.shape[-1]
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}AvgPool")(x)
    gate = keras.layers.Conv2D(squeeze_width(channels), 1, name=f"{prefix}Conv")(gate)
    gate = keras.layers.ReLU(name=f"{prefix}Relu")(gate)
    gate = keras.layers.Conv2D(channels, 1, name=f"{prefix}Conv_1")(gate)
    gate = HardSigmoid(name=f"{prefix}HardSigmoid")(gate)
    return keras.layers.Multiply(name=f"{prefix}Mul")([x, gate])


def separable(x, row: Block, network: Network, index: int, names: Names):
    """V1's block (V1, 3.1): depthwise -> 1x1, both activated. `index` counts from 1."""
    x = depthwise(x, row, network, f"conv_dw_{index}", names, f"conv_pad_{index}")
    if row.se:
        x = squeeze_excite(x, f"conv_se_{index}/")
    return conv(x, row.out, row.activation, f"conv_pw_{index}", names)


def inverted_residual(x, row: Block, network: Network, prefix: str, names: Names):
    """V2's and V3's block: expand -> depthwise -> squeeze-excite -> linear projection.

    The input is added where stride 1 and equal widths allow it (V2, 3.3 and Fig. 4; V3, Fig. 4).
    """
    shortcut = x
    if row.expansion != x.shape[-1]:
        x = conv(x, row.expansion, row.activation, f"{prefix}expand", names)
    x = depthwise(x, row, network, f"{prefix}depthwise", names, f"{prefix}pad")
    if row.se:
        x = squeeze_excite(x, f"{prefix}squeeze_excite/")
    x = conv(x, row.out, None, f"{prefix}project", names)
    if row.stride == 1 and shortcut.shape[-1] == row.out:
        x = keras.layers.Add(name=f"{prefix}add")([shortcut, x])
    return x


def pool(x, pooling: str | None, keepdims: bool = False):
    """Global pooling: `avg`, `max`, or None for none."""
    if pooling == "avg":
        return keras.layers.GlobalAveragePooling2D(keepdims=keepdims, name="avg_pool")(x)
    if pooling == "max":
        return keras.layers.GlobalMaxPooling2D(keepdims=keepdims, name="max_pool")(x)
    return x


def drop(x, rate: float):
    """Dropout in training; no layer where the rate is 0."""
    # Stateful: random numbers of its own, which training can seed again.
    return keras.layers.Dropout(rate, rng_type="stateful", name="dropout")(x) if rate else x


def classifier(x, classes: int, name: str):
    """(None, 1, 1, C) or (None, C) -> class probabilities (None, classes).

    Published V1 and V3 files have the classifier as a 1x1 convolution, V2's as a dense layer.
    """
    if len(x.shape) == 4:
        x = keras.layers.Conv2D(classes, 1, name=name)(x)
        x = keras.layers.Flatten(name="flatten")(x)
    else:
        x = keras.layers.Dense(classes, name=name)(x)
    return keras.layers.Softmax(name="probabilities")(x)
