"""SqueezeNet 1.0 and 1.1 (Iandola et al.): their rows, lowering and tables.

Widths and padding are the released Caffe models': the stem is not padded, and pooling rounds up.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mobilenet_tf.networks.graph import Op, ceil_padding
from mobilenet_tf.networks.lower import GraphBuilder, lowering
from mobilenet_tf.networks.rows import Classifier, Convolution, Row, make_divisible, row_kind
from mobilenet_tf.networks.tables import RE, Rows


@row_kind("fire")
@dataclass(frozen=True)
class Fire(Row):
    """SqueezeNet's module: squeeze -> 1x1 and 3x3 side by side, concatenated; all activated.

    There is no normalization.

    Attributes:
        squeeze: Output channels of the first 1x1 convolution.
        expand: Output channels of each of the two that follow.
        activation: One of `ACTIVATIONS`.
    """

    squeeze: int
    expand: int
    activation: str


@row_kind("max_pooling")
@dataclass(frozen=True)
class MaxPooling(Row):
    """The maximum over a window of an input that is not negative; its last pixels all count.

    Attributes:
        kernel: Side of the window.
        stride: Step in pixels.
    """

    kernel: int
    stride: int


@row_kind("map_classifier")
@dataclass(frozen=True)
class MapClassifier(Classifier):
    """Scores from a map: a 1x1 convolution, activated before a softmax, then the pixels' mean."""


@lowering(Fire, lambda row: {"squeeze": ("squeeze",), "expand": ("expand_1x1", "expand_3x3")})
def _fire(graph: GraphBuilder, x: Op, row: Fire) -> Op:
    def activated(x: Op, name: str, out: int, kernel: int) -> Op:
        return graph.convolution(x, name, out, kernel, activation=row.activation, norm=False)

    x = activated(x, "squeeze", row.squeeze, 1)
    branches = (activated(x, f"expand_{k}x{k}", row.expand, k) for k in (1, 3))
    return graph.concatenate(tuple(branches), "concatenate")


@lowering(MaxPooling)
def _max_pooling(graph: GraphBuilder, x: Op, row: MaxPooling) -> Op:
    return graph.max_pool(x, "max_pool", row.kernel, row.stride, ceil_padding)


@lowering(MapClassifier)
def _map_classifier(graph: GraphBuilder, x: Op, row: MapClassifier) -> Op:
    # A logit that is compared with a threshold of its own must be able to be negative.
    activation = RE if row.softmax else None
    x = graph.convolution(
        x, "classifier", row.classes, activation=activation, norm=False, dropout=row.dropout
    )
    return graph.scores(graph.mean(x, "pool"), row)


# Squeeze and expand of fire modules 2 to 9; `None` is a pooling.
Modules = tuple[tuple[int, int] | None, ...]
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
V1_0: Modules = (None, *FIRES[:3], None, *FIRES[3:7], None, *FIRES[7:])
V1_1: Modules = (None, *FIRES[:2], None, *FIRES[2:4], None, *FIRES[4:])


def squeezenet(
    kernel: int, stem: int, modules: Modules
) -> Callable[[float, int], tuple[Rows, Rows]]:
    """Return the function that makes SqueezeNet's backbone and head from alpha and classes.

    Args:
        kernel: Side of the stem's kernel.
        stem: Channels of the stem.
        modules: Squeeze and expand of each fire module; None for a pooling.
    """

    def make(alpha: float, classes: int) -> tuple[Rows, Rows]:
        def width(channels: int) -> int:
            return make_divisible(channels * alpha)

        rows = (
            Fire(width(module[0]), width(module[1]), RE) if module else MaxPooling(3, 2)
            for module in modules
        )
        first = Convolution("stem", kernel, width(stem), RE, 2, padded=False, norm=False)
        return (first, *rows), (MapClassifier(classes, dropout=0.5),)

    return make
