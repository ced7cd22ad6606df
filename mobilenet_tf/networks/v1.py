"""MobileNetV1 (arXiv 1704.04861, Table 1), with the layer names of the published files."""

from mobilenet_tf.networks import layers
from mobilenet_tf.networks.layers import Names
from mobilenet_tf.networks.spec import ModelSpec

NAMES = Names("{}_bn", "{}_relu")
HEAD = ("conv_preds",)


def network(inputs, spec: ModelSpec, include_top: bool, pooling: str | None, dropout: float):
    """From (None, size, size, channels) to features, pooled features or class probabilities."""
    net = spec.network
    x = layers.conv(inputs, net.stem, net.activation, "conv1", NAMES, kernel=3, stride=2)
    for index, row in enumerate(net.blocks, start=1):
        x = layers.separable(x, row, net, index, NAMES)
    if not include_top:
        return layers.pool(x, pooling)
    x = layers.pool(x, "avg", keepdims=True)
    return layers.classifier(layers.drop(x, dropout), spec.classes, HEAD[-1])
