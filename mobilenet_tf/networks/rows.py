"""The papers' block tables as data, and what the width multiplier makes of them.

Plain Python: counting, choosing and searching need no TensorFlow.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial


@dataclass(frozen=True)
class Block:
    """One row of a block table: [expand 1x1] -> depthwise -> [squeeze-excite] -> 1x1.

    Attributes:
        kernel: side of the depthwise kernel.
        expansion: channels inside the block; equal to the input's where nothing expands.
        out: output channels.
        se: whether squeeze-and-excite follows the depthwise convolution.
        activation: `relu`, `relu6` or `hard_swish`.
        stride: of the depthwise convolution.
    """

    kernel: int
    expansion: int
    out: int
    se: bool
    activation: str
    stride: int


@dataclass(frozen=True)
class Network:
    """A whole network with its final widths, alpha applied.

    Attributes:
        stem: channels of the first 3x3 convolution, stride 2.
        blocks: the rows between stem and head.
        features: channels of the 1x1 convolution before pooling, or None.
        hidden: channels of the 1x1 convolution after pooling (V3), or None.
        activation: of stem and head.
        residual: inverted residuals with a linear bottleneck (V2, V3); False for V1's
            depthwise separable blocks, whose 1x1 convolution is activated.
    """

    stem: int
    blocks: tuple[Block, ...]
    features: int | None
    hidden: int | None
    activation: str
    residual: bool

    def inputs(self) -> tuple[int, ...]:
        """Input channels of each block."""
        return (self.stem, *(block.out for block in self.blocks[:-1]))

    def padding(self, size: int, kernel: int) -> tuple[int, int]:
        """Zeros before and after an axis of `size` pixels where a depthwise stride is 2.

        "Same" padding, but V1's released checkpoints treat every size as even.
        """
        odd = size % 2 if self.residual else 0
        return kernel // 2 - 1 + odd, kernel // 2


def make_divisible(value: float, divisor: int = 8) -> int:
    """Round to the nearest multiple of `divisor`, never more than 10 % down."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def squeeze_width(expansion: int) -> int:
    """Channels between the two convolutions of a squeeze-and-excite block (V3, 5.3)."""
    return make_divisible(expansion * 0.25)


def _separable(stem: int, *pairs: tuple[int, int]) -> tuple[Block, ...]:
    """V1 Table 1, its (stride, out) columns: every block keeps its width until the 1x1."""
    blocks, channels = [], stem
    for stride, out in pairs:
        blocks.append(Block(3, channels, out, False, "relu6", stride))
        channels = out
    return tuple(blocks)


def _bottlenecks(stem: int, *lines: tuple[int, int, int, int]) -> tuple[Block, ...]:
    """V2 Table 2, its (t, c, n, s) columns: n blocks a line, stride s in the first."""
    blocks, channels = [], stem
    for factor, out, repeats, first_stride in lines:
        for index in range(repeats):
            stride = first_stride if index == 0 else 1
            blocks.append(Block(3, factor * channels, out, False, "relu6", stride))
            channels = out
    return tuple(blocks)


RE, HS = "relu", "hard_swish"

# V1 Table 1. The last depthwise layer is printed with stride 2; its sizes say stride 1.
V1_ROWS = _separable(
    32,
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    (1, 512),
    (1, 512),
    (1, 512),
    (1, 512),
    (1, 512),
    (2, 1024),
    (1, 1024),
)

# V2 Table 2.
V2_ROWS = _bottlenecks(
    32,
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# V3 Table 1: kernel, expansion, out, SE, NL, stride.
V3_LARGE_ROWS = (
    Block(3, 16, 16, False, RE, 1),  # 112 x 112
    Block(3, 64, 24, False, RE, 2),
    Block(3, 72, 24, False, RE, 1),  # 56 x 56
    Block(5, 72, 40, True, RE, 2),
    Block(5, 120, 40, True, RE, 1),  # 28 x 28
    Block(5, 120, 40, True, RE, 1),
    Block(3, 240, 80, False, HS, 2),
    Block(3, 200, 80, False, HS, 1),  # 14 x 14
    Block(3, 184, 80, False, HS, 1),
    Block(3, 184, 80, False, HS, 1),
    Block(3, 480, 112, True, HS, 1),
    Block(3, 672, 112, True, HS, 1),
    Block(5, 672, 160, True, HS, 2),
    Block(5, 960, 160, True, HS, 1),  # 7 x 7
    Block(5, 960, 160, True, HS, 1),
)

# V3 Table 2. Its SE tick on the last 1x1 convolution and its 1280 are not in the released
# checkpoint: no SE there, and 1024 (see `hidden` below).
V3_SMALL_ROWS = (
    Block(3, 16, 16, True, RE, 2),  # 112 x 112
    Block(3, 72, 24, False, RE, 2),  # 56 x 56
    Block(3, 88, 24, False, RE, 1),  # 28 x 28
    Block(5, 96, 40, True, HS, 2),
    Block(5, 240, 40, True, HS, 1),  # 14 x 14
    Block(5, 240, 40, True, HS, 1),
    Block(5, 120, 48, True, HS, 1),
    Block(5, 144, 48, True, HS, 1),
    Block(5, 288, 96, True, HS, 2),
    Block(5, 576, 96, True, HS, 1),  # 7 x 7
    Block(5, 576, 96, True, HS, 1),
)


def minimalistic(rows: tuple[Block, ...]) -> tuple[Block, ...]:
    """The same widths and strides without 5x5 kernels, squeeze-excite or hard-swish."""
    return tuple(replace(row, kernel=3, se=False, activation=RE) for row in rows)


def _scale(
    rows: tuple[Block, ...], stem: tuple[int, int], width: Callable[[int], int]
) -> tuple[Block, ...]:
    """Rows with `width` applied to every output; expansions keep their ratio to the input.

    `stem` is the stem's width in the table and in the network. Expansions follow the
    already rounded input, as the released checkpoints do (torchvision rounds otherwise).
    """
    scaled = []
    before, now = stem
    for row in rows:
        ratio = row.expansion / before
        expansion = now if ratio == 1 else make_divisible(now * ratio)
        before, now = row.out, width(row.out)
        scaled.append(replace(row, expansion=expansion, out=now))
    return tuple(scaled)


def v1_network(rows: tuple[Block, ...], alpha: float) -> Network:
    """V1 widths: int(alpha * c), at least 8, no rounding to multiples of 8."""

    def width(channels: int) -> int:
        return max(8, int(channels * alpha))

    blocks = _scale(rows, (32, width(32)), width)
    return Network(width(32), blocks, None, None, "relu6", residual=False)


def v2_network(rows: tuple[Block, ...], alpha: float) -> Network:
    """V2 widths; the last 1x1 convolution grows with alpha but never shrinks (V2, 4)."""

    def width(channels: int) -> int:
        return make_divisible(int(channels * alpha))

    stem = make_divisible(32 * alpha)
    features = make_divisible(1280 * max(1.0, alpha))
    return Network(stem, _scale(rows, (32, stem), width), features, None, "relu6", residual=True)


def v3_network(rows: tuple[Block, ...], alpha: float, hidden: int, activation: str) -> Network:
    """V3 widths as published: a stem of 16 at every alpha, a hidden layer that only grows."""

    def width(channels: int) -> int:
        return make_divisible(channels * alpha)

    blocks = _scale(rows, (16, 16), width)
    features = make_divisible(blocks[-1].out * 6)
    grown = make_divisible(hidden * alpha) if alpha > 1 else hidden
    return Network(16, blocks, features, grown, activation, residual=True)


# What alpha makes of each network's rows.
NETWORKS: dict[str, Callable[[tuple[Block, ...], float], Network]] = {
    "v1": v1_network,
    "v2": v2_network,
    "v3_large": partial(v3_network, hidden=1280, activation=HS),
    "v3_small": partial(v3_network, hidden=1024, activation=HS),
    "v3_large_minimalistic": partial(v3_network, hidden=1280, activation=RE),
    "v3_small_minimalistic": partial(v3_network, hidden=1024, activation=RE),
}
