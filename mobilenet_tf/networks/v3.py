"""MobileNetV3 (arXiv 1905.02244, Tables 1 and 2), with the layer names of the published files."""

import tf_keras as keras

from mobilenet_tf.networks import layers
from mobilenet_tf.networks.layers import Names
from mobilenet_tf.networks.spec import ModelSpec

NAMES = Names("{}/BatchNorm", "{}/activation")
HEAD = ("Conv_2", "Logits")


def network(inputs, spec: ModelSpec, include_top: bool, pooling: str | None, dropout: float):
    """From (None, size, size, channels) to features, pooled features or class probabilities."""
    net = spec.network
    x = layers.conv(inputs, net.stem, net.activation, "Conv", NAMES, kernel=3, stride=2)
    for index, row in enumerate(net.blocks):
        prefix = f"expanded_conv_{index}/" if index else "expanded_conv/"
        x = layers.inverted_residual(x, row, net, prefix, NAMES)
    x = layers.conv(x, net.features, net.activation, "Conv_1", NAMES)
    if not include_top:
        return layers.pool(x, pooling)
    # The paper's efficient last stage (5.1): the widest layer works on one pixel.
    hidden, logits = HEAD
    x = layers.pool(x, "avg", keepdims=True)
    x = keras.layers.Conv2D(net.hidden, 1, name=hidden)(x)
    x = layers.activate(x, net.activation, NAMES.activation.format(hidden))
    return layers.classifier(layers.drop(x, dropout), spec.classes, logits)
