"""MobileNetV4's convolutional networks: their rows, lowering and tables.

The tables are those of the released models (TensorFlow Model Garden), which the paper's Tables 11
to 13 (V4) describe. Widths below alpha 1 follow the Model Garden too: the stem shrinks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.lower import GraphBuilder, lowering
from mobilenet_tf.networks.rows import (
    Classifier,
    Convolution,
    Hidden,
    Pooling,
    Row,
    make_divisible,
    row_kind,
)
from mobilenet_tf.networks.tables import RE, Rows, scaled


@row_kind("universal_bottleneck")
@dataclass(frozen=True)
class UniversalBottleneck(Row):
    """V4's block (V4, 3.1): [depthwise] -> expand -> [depthwise] -> linear projection.

    Both depthwise convolutions make it the "extra depthwise" block, the second alone V2's block,
    the first alone ConvNeXt's, and none a feed-forward network. The first is linear. The second
    carries the stride. The input is added where stride 1 and equal widths allow it.

    Attributes:
        start: Side of the kernel before the expansion; None for no such convolution.
        middle: Side of the kernel after it, or None.
        expansion: Channels inside the block.
        out: Output channels.
        activation: One of `ACTIVATIONS`.
        stride: Stride of the second depthwise convolution; of the first if there is no second.
    """

    start: int | None
    middle: int | None
    expansion: int
    out: int
    activation: str
    stride: int


@row_kind("fused_bottleneck")
@dataclass(frozen=True)
class FusedBottleneck(Row):
    """A k x k convolution that expands, and a linear projection; the input added where it fits.

    Attributes:
        kernel: Side of the kernel.
        expansion: Channels inside the block.
        out: Output channels.
        activation: One of `ACTIVATIONS`.
        stride: Stride of the expanding convolution.
    """

    kernel: int
    expansion: int
    out: int
    activation: str
    stride: int


@lowering(UniversalBottleneck, lambda row: {"expansion": ("expand",), "out": ("project",)})
def _universal_bottleneck(graph: GraphBuilder, x: Op, row: UniversalBottleneck) -> Op:
    shortcut = x
    if row.start:
        x = graph.depthwise(x, "start", row.start, 1 if row.middle else row.stride)
    x = graph.convolution(x, "expand", row.expansion, activation=row.activation)
    if row.middle:
        x = graph.depthwise(x, "depthwise", row.middle, row.stride, activation=row.activation)
    x = graph.convolution(x, "project", row.out)
    return graph.residual(shortcut, x, row.stride)


@lowering(FusedBottleneck, lambda row: {"expansion": ("expand",), "out": ("project",)})
def _fused_bottleneck(graph: GraphBuilder, x: Op, row: FusedBottleneck) -> Op:
    shortcut = x
    x = graph.convolution(
        x, "expand", row.expansion, row.kernel, row.stride, activation=row.activation
    )
    x = graph.convolution(x, "project", row.out)
    return graph.residual(shortcut, x, row.stride)


Table = tuple[Convolution | UniversalBottleneck | FusedBottleneck, ...]  # the stem first


def _extra(
    start: int, middle: int, expansion: int, out: int, stride: int = 1
) -> UniversalBottleneck:
    return UniversalBottleneck(start, middle, expansion, out, RE, stride)


def _inverted(middle: int, expansion: int, out: int) -> UniversalBottleneck:
    return UniversalBottleneck(None, middle, expansion, out, RE, 1)


def _convnext(start: int, expansion: int, out: int) -> UniversalBottleneck:
    return UniversalBottleneck(start, None, expansion, out, RE, 1)


def _feed_forward(expansion: int, out: int) -> UniversalBottleneck:
    return UniversalBottleneck(None, None, expansion, out, RE, 1)


CONV_S: Table = (
    Convolution("stem", 3, 32, RE, 2),  # 224 x 224
    Convolution("", 3, 32, RE, 2),
    Convolution("", 1, 32, RE),  # 56 x 56
    Convolution("", 3, 96, RE, 2),
    Convolution("", 1, 64, RE),  # 28 x 28
    _extra(5, 5, 192, 96, 2),
    *4 * (_inverted(3, 192, 96),),  # 14 x 14
    _convnext(3, 384, 96),
    _extra(3, 3, 576, 128, 2),
    _extra(5, 5, 512, 128),  # 7 x 7
    _inverted(5, 512, 128),
    _inverted(5, 384, 128),
    *2 * (_inverted(3, 512, 128),),
)

CONV_M: Table = (
    Convolution("stem", 3, 32, RE, 2),  # 256 x 256
    FusedBottleneck(3, 128, 48, RE, 2),
    _extra(3, 5, 192, 80, 2),
    _extra(3, 3, 160, 80),  # 32 x 32
    _extra(3, 5, 480, 160, 2),
    *2 * (_extra(3, 3, 640, 160),),  # 16 x 16
    _extra(3, 5, 640, 160),
    _extra(3, 3, 640, 160),
    _convnext(3, 640, 160),
    _feed_forward(320, 160),
    _convnext(3, 640, 160),
    _extra(5, 5, 960, 256, 2),
    _extra(5, 5, 1024, 256),  # 8 x 8
    *2 * (_extra(3, 5, 1024, 256),),
    _feed_forward(1024, 256),
    _convnext(3, 1024, 256),
    _extra(3, 5, 512, 256),
    _extra(5, 5, 1024, 256),
    *2 * (_feed_forward(1024, 256),),
    _convnext(5, 512, 256),
)

CONV_L: Table = (
    Convolution("stem", 3, 24, RE, 2),  # 384 x 384
    FusedBottleneck(3, 96, 48, RE, 2),
    _extra(3, 5, 192, 96, 2),
    _extra(3, 3, 384, 96),  # 48 x 48
    _extra(3, 5, 384, 192, 2),
    *3 * (_extra(3, 3, 768, 192),),  # 24 x 24
    _extra(3, 5, 768, 192),
    *5 * (_extra(5, 3, 768, 192),),
    _convnext(3, 768, 192),
    _extra(5, 5, 768, 512, 2),
    *3 * (_extra(5, 5, 2048, 512),),  # 12 x 12
    _convnext(5, 2048, 512),
    _extra(5, 3, 2048, 512),
    *2 * (_convnext(5, 2048, 512),),
    _extra(5, 3, 2048, 512),
    _extra(5, 5, 2048, 512),
    *3 * (_convnext(5, 2048, 512),),
)


def v4(table: Table) -> Callable[[float, int], tuple[Rows, Rows]]:
    """Return the function that makes V4's backbone and head from alpha and classes.

    The hidden layer of 1280 channels only grows. It is normalized, unlike V3's.
    """

    def make(alpha: float, classes: int) -> tuple[Rows, Rows]:
        def width(channels: int) -> int:
            return make_divisible(channels * alpha)

        stem, *blocks = table
        first = width(stem.out)
        backbone = (
            replace(stem, out=first),
            *scaled(tuple(blocks), (stem.out, first), width),
            Convolution("features", 1, width(960), RE),
        )
        hidden = make_divisible(1280 * max(1.0, alpha))
        head = (Pooling(), Hidden(hidden, RE, norm=True), Classifier(classes, dropout=0.2))
        return backbone, head

    return make
