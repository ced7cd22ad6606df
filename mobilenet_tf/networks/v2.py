"""MobileNetV2 (arXiv 1801.04381, Table 2), with the layer names of the published files."""

from mobilenet_tf.networks import layers
from mobilenet_tf.networks.layers import Names
from mobilenet_tf.networks.spec import ModelSpec

# Not of one mould in the published files: stem, blocks and last convolution.
STEM_NAMES = Names("bn_{}", "{}_relu")
NAMES = Names("{}_BN", "{}_relu")
LAST_NAMES = Names("{}_bn", "out_relu")
HEAD = ("predictions",)


def network(inputs, spec: ModelSpec, include_top: bool, pooling: str | None, dropout: float):
    """From (None, size, size, channels) to features, pooled features or class probabilities."""
    net = spec.network
    x = layers.conv(inputs, net.stem, net.activation, "Conv1", STEM_NAMES, kernel=3, stride=2)
    for index, row in enumerate(net.blocks):
        prefix = f"block_{index}_" if index else "expanded_conv_"
        x = layers.inverted_residual(x, row, net, prefix, NAMES)
    x = layers.conv(x, net.features, net.activation, "Conv_1", LAST_NAMES)
    if not include_top:
        return layers.pool(x, pooling)
    x = layers.drop(layers.pool(x, "avg"), dropout)
    return layers.classifier(x, spec.classes, HEAD[-1])
