"""Xception (Chollet): its rows, lowering and table, as in `tf_keras.applications`."""

from dataclasses import dataclass

from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.lower import GraphBuilder, Widths, lowering
from mobilenet_tf.networks.rows import (
    Classifier,
    Convolution,
    Pooling,
    Row,
    make_divisible,
    row_kind,
)
from mobilenet_tf.networks.tables import RE, Rows


@row_kind("plain_separable")
@dataclass(frozen=True)
class PlainSeparable(Row):
    """A depthwise and a 1x1 convolution with nothing between them (Xception, 2).

    Attributes:
        kernel: Side of the depthwise kernel.
        out: Output channels.
        activation: Activation after the 1x1 convolution, one of `ACTIVATIONS`, or None.
    """

    kernel: int
    out: int
    activation: str | None


@row_kind("separable_module")
@dataclass(frozen=True)
class SeparableModule(Row):
    """Xception's module (Figure 5): plain separable convolutions, activated before each.

    With stride 2 a max pooling ends it, and the shortcut is a strided 1x1 convolution. Otherwise
    the shortcut is the input, added where it fits.

    Attributes:
        kernel: Side of the depthwise kernels and of the pooling's window.
        depth: Number of separable convolutions.
        inner: Output channels of all but the last.
        out: Output channels of the last.
        activation: One of `ACTIVATIONS`.
        stride: Step of the pooling in pixels.
        activated_input: Whether the input has its activation already.
    """

    kernel: int
    depth: int
    inner: int
    out: int
    activation: str
    stride: int
    activated_input: bool = False


@lowering(PlainSeparable, lambda row: {"out": ("project",)})
def _plain_separable(graph: GraphBuilder, x: Op, row: PlainSeparable) -> Op:
    x = graph.depthwise(x, "depthwise", row.kernel, norm=False, bias=False)
    return graph.convolution(x, "project", row.out, activation=row.activation)


def _module_widths(row: SeparableModule) -> Widths:
    projections = tuple(f"project_{step}" for step in range(1, row.depth + 1))
    shortcut = ("shortcut",) if row.stride > 1 else ()
    return {"inner": projections[:-1], "out": (projections[-1], *shortcut)}


@lowering(SeparableModule, _module_widths)
def _separable_module(graph: GraphBuilder, x: Op, row: SeparableModule) -> Op:
    shortcut = x
    if not row.activated_input:
        x = graph.activation(x, "activation", row.activation)
    for step in range(1, row.depth + 1):
        last = step == row.depth
        x = graph.depthwise(x, f"depthwise_{step}", row.kernel, norm=False, bias=False)
        x = graph.convolution(
            x,
            f"project_{step}",
            row.out if last else row.inner,
            activation=None if last else row.activation,
        )
    if row.stride > 1:
        x = graph.max_pool(x, "max_pool", row.kernel, row.stride)
        shortcut = graph.convolution(shortcut, "shortcut", row.out, 1, row.stride)
        return graph.add(shortcut, x, "add")
    return graph.residual(shortcut, x, row.stride)


def xception(alpha: float, classes: int) -> tuple[Rows, Rows]:
    """Return Xception's backbone and head (Figure 5), all widths scaled by alpha."""

    def width(channels: int) -> int:
        return make_divisible(channels * alpha)

    def module(inner: int, out: int, stride: int, depth: int = 2, first: bool = False) -> Row:
        return SeparableModule(3, depth, width(inner), width(out), RE, stride, first)

    backbone = (
        Convolution("stem", 3, width(32), RE, 2, padded=False),  # 299 x 299
        Convolution("", 3, width(64), RE, padded=False),  # 149 x 149
        module(128, 128, 2, first=True),  # 147 x 147
        module(256, 256, 2),
        module(728, 728, 2),
        *8 * (module(728, 728, 1, depth=3),),  # 19 x 19
        module(728, 1024, 2),
        PlainSeparable(3, width(1536), RE),  # 10 x 10
        PlainSeparable(3, width(2048), RE),
    )
    return backbone, (Pooling(), Classifier(classes, dropout=0.5, dense=True))
