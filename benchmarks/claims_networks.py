"""The papers' claims that can be tested on small data, with the networks of each, made as data."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.lower import GraphBuilder, lowering
from mobilenet_tf.networks.rows import (
    InvertedResidual,
    Network,
    Row,
    Separable,
    make_divisible,
    row_kind,
)
from mobilenet_tf.networks.tables import HS, RE, V3_LARGE
from mobilenet_tf.networks.zoo import make_network

SIZE = 64
WORSE, EQUAL = "worse", "equal"
_V2_FACTOR = 6
_EXPAND = "/expand"


@dataclass(frozen=True)
class Other:
    """A network of a claim beside the reference.

    Attributes:
        network: The network.
        expected: What the paper finds: `worse` or `equal`, compared with the reference.
        paper: The paper's top-1 accuracy in per cent, or None where it has a plot or a sentence.
    """

    network: Network
    expected: str
    paper: float | None = None


@dataclass(frozen=True)
class Claim:
    """A claim of a paper: networks against a reference.

    Attributes:
        name: Name for `--only`.
        text: What the paper says.
        source: Paper and table or figure.
        reference: The network that the others are compared with.
        others: The other networks.
        paper: The paper's top-1 accuracy of the reference in per cent, if it has one.
    """

    name: str
    text: str
    source: str
    reference: Network
    others: tuple[Other, ...]
    paper: float | None = None

    @property
    def networks(self) -> tuple[Network, ...]:
        """The reference and the others."""
        return (self.reference, *(other.network for other in self.others))


@row_kind("claims.wide_residual")
@dataclass(frozen=True)
class WideResidual(Row):
    """V2's block with the shortcut between expanded tensors instead of bottlenecks (V2, Figure 6).

    Attributes:
        kernel: Side of the depthwise kernel.
        expansion: Channels inside the block.
        out: Output channels.
        activation: Activation of the expansion and of the depthwise convolution.
        stride: Stride of the depthwise convolution.
    """

    kernel: int
    expansion: int
    out: int
    activation: str
    stride: int


@lowering(WideResidual)
def _wide_residual(graph: GraphBuilder, x: Op, row: WideResidual) -> Op:
    before = [op for op in graph.ops if op.name.endswith((_EXPAND, f"{_EXPAND}_sum"))]
    if row.expansion != x.shape[2]:
        x = graph.convolution(x, "expand", row.expansion, activation=row.activation)
        if before and before[-1].shape == x.shape:
            x = graph.add(before[-1], x, "expand_sum")
    x = graph.depthwise(x, "depthwise", row.kernel, stride=row.stride, activation=row.activation)
    return graph.convolution(x, "project", row.out)


def changed(network: Network, name: str, change: Callable[[Row], Row | None]) -> Network:
    """Return a network of another name with changed rows; `change` returns None to drop a row."""
    parts = {
        part: tuple(row for row in map(change, getattr(network, part)) if row is not None)
        for part in ("backbone", "head")
    }
    return replace(network, name=name, layer_names="plain", **parts)


def bottlenecks(network: Network, name: str, change: Callable[[InvertedResidual], Row]) -> Network:
    """Return a network with changed inverted residuals."""
    return changed(
        network, name, lambda row: change(row) if isinstance(row, InvertedResidual) else row
    )


def shallow_v1(alpha: float) -> Network:
    """Return V1 without its five repeated layers of 512 channels at 14x14 (V1, Table 5)."""
    repeated = Separable(3, int(512 * alpha), "relu6", 1)
    base = make_network("v1", alpha, SIZE)
    return changed(base, "v1_shallow", lambda row: None if row == repeated else row)


def expanded(factor: float) -> Network:
    """Return V2 with another expansion factor."""
    base = make_network("v2", 0.35, SIZE)
    inputs = iter(row.out for row in base.backbone)  # the stem comes first

    def change(row: InvertedResidual) -> Row:
        if row.expansion == next(inputs):
            return row
        return replace(row, expansion=make_divisible(row.expansion * factor / _V2_FACTOR))

    return bottlenecks(base, f"v2_factor_{factor:g}", change)


def wide_shortcuts() -> Network:
    """Return V2 with shortcuts between expanded tensors."""
    return bottlenecks(
        make_network("v2", 0.35, SIZE),
        "v2_wide_shortcuts",
        lambda row: WideResidual(row.kernel, row.expansion, row.out, row.activation, row.stride),
    )


def swish_from(channels: int | None) -> Network:
    """Return V3-Large with hard-swish in the blocks from a width on, as the paper's table has it.

    None is ReLU everywhere.
    """
    base = make_network("v3_large", 0.35, SIZE)
    widths = iter(row.out for row in V3_LARGE)

    def change(row: Row) -> Row:
        if isinstance(row, InvertedResidual):
            swish = channels is not None and next(widths) >= channels
            return replace(row, activation=HS if swish else RE)
        if channels is None and getattr(row, "activation", None) == HS:
            return replace(row, activation=RE)  # type: ignore[call-arg]
        return row

    name = "v3_large_relu" if channels is None else f"v3_large_swish_{channels}"
    return changed(base, name, change)


def at(name: str, alpha: float, size: int = SIZE) -> Network:
    """Return a network of the zoo."""
    return make_network(name, alpha, size)


V2, V3 = at("v2", 0.35), at("v3_large", 0.35)

CLAIMS = (
    Claim(
        "separable",
        "Depthwise separable convolutions need 8.5 times fewer multiply-adds than full ones and "
        "lose about one point.",
        "V1, Table 4",
        at("v1_full", 0.25),
        (Other(at("v1", 0.25), WORSE, 70.6),),
        71.7,
    ),
    Claim(
        "narrow",
        "At equal cost, a narrow network is better than a shallow one.",
        "V1, Table 5",
        at("v1", 0.26),  # three quarters of 0.35
        (Other(shallow_v1(0.35), WORSE, 65.3),),
        68.4,
    ),
    Claim(
        "alpha",
        "Accuracy falls smoothly with the width multiplier.",
        "V1, Table 6",
        at("v1", 0.75),
        (Other(at("v1", 0.5), WORSE, 63.7), Other(at("v1", 0.25), WORSE, 50.6)),
        68.4,
    ),
    Claim(
        "size",
        "Accuracy falls smoothly with the input's size.",
        "V1, Table 7",
        at("v1", 0.25, 112),
        (
            Other(at("v1", 0.25, 96), WORSE, 69.1),
            Other(at("v1", 0.25, 80), WORSE, 67.2),
            Other(at("v1", 0.25, 64), WORSE, 64.4),
        ),
        70.6,
    ),
    Claim(
        "linear",
        "An activation after the projection of a bottleneck costs accuracy.",
        "V2, Figure 6 (a)",
        V2,
        (
            Other(
                bottlenecks(
                    V2,
                    "v2_relu6_bottleneck",
                    lambda row: replace(row, projection_activation="relu6"),
                ),
                WORSE,
            ),
        ),
    ),
    Claim(
        "shortcuts",
        "Shortcuts between bottlenecks are better than those between expanded tensors, and better "
        "than none.",
        "V2, Figure 6 (b)",
        V2,
        (
            Other(wide_shortcuts(), WORSE),
            Other(
                bottlenecks(V2, "v2_no_shortcuts", lambda row: replace(row, shortcut=False)), WORSE
            ),
        ),
    ),
    Claim(
        "expansion",
        "Expansion factors from 5 to 10 are nearly equal.",
        "V2, 3.3 and 6.1",
        V2,
        (Other(expanded(5), EQUAL), Other(expanded(10), EQUAL)),
    ),
    Claim(
        "squeeze_excite",
        "Squeeze-and-excite increases accuracy.",
        "V3, 5.3",
        V3,
        (
            Other(
                bottlenecks(V3, "v3_large_no_se", lambda row: replace(row, se=False)),
                WORSE,
            ),
        ),
    ),
    Claim(
        "hard_swish",
        "Hard-swish from 80 channels on is better than ReLU everywhere, and as good as hard-swish "
        "in more or fewer blocks.",
        "V3, Table 5",
        V3,
        (
            Other(swish_from(None), WORSE, 74.5),
            Other(swish_from(16), EQUAL, 75.4),
            Other(swish_from(112), EQUAL, 75.0),
        ),
        75.2,
    ),
    Claim(
        "squeezenet",
        "MobileNet is better than SqueezeNet of its size, with far fewer multiply-adds.",
        "V1, Table 9",
        at("v1", 0.5, 48),
        (Other(at("squeezenet_1_0", 1.0, 64), WORSE, 57.5),),
        60.2,
    ),
)
