"""The papers' block tables, and what the width multiplier makes of them."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, TypeVar

from mobilenet_tf.networks.rows import (
    Classifier,
    Convolution,
    Hidden,
    InvertedResidual,
    Pooling,
    Row,
    Separable,
    make_divisible,
)

Rows = tuple[Row, ...]
AnyRow = TypeVar("AnyRow", bound=Row)
RE, HS = "relu", "hard_swish"

# V1 Table 1: stride, output. The last depthwise layer is printed with stride 2; its sizes say 1.
V1 = (
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

# V2 Table 2: expansion factor t, output c, repeats n, stride s of the first.
V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# V3 Table 1: kernel, expansion, output, SE, NL, stride.
V3_LARGE = (
    InvertedResidual(3, 16, 16, False, RE, 1),  # 112 x 112
    InvertedResidual(3, 64, 24, False, RE, 2),
    InvertedResidual(3, 72, 24, False, RE, 1),  # 56 x 56
    InvertedResidual(5, 72, 40, True, RE, 2),
    InvertedResidual(5, 120, 40, True, RE, 1),  # 28 x 28
    InvertedResidual(5, 120, 40, True, RE, 1),
    InvertedResidual(3, 240, 80, False, HS, 2),
    InvertedResidual(3, 200, 80, False, HS, 1),  # 14 x 14
    InvertedResidual(3, 184, 80, False, HS, 1),
    InvertedResidual(3, 184, 80, False, HS, 1),
    InvertedResidual(3, 480, 112, True, HS, 1),
    InvertedResidual(3, 672, 112, True, HS, 1),
    InvertedResidual(5, 672, 160, True, HS, 2),
    InvertedResidual(5, 960, 160, True, HS, 1),  # 7 x 7
    InvertedResidual(5, 960, 160, True, HS, 1),
)

# V3 Table 2. The released checkpoint has neither the SE tick on the last 1x1 convolution nor a
# hidden layer of 1280: there is no SE there, and the hidden layer has 1024 channels.
V3_SMALL = (
    InvertedResidual(3, 16, 16, True, RE, 2),  # 112 x 112
    InvertedResidual(3, 72, 24, False, RE, 2),  # 56 x 56
    InvertedResidual(3, 88, 24, False, RE, 1),  # 28 x 28
    InvertedResidual(5, 96, 40, True, HS, 2),
    InvertedResidual(5, 240, 40, True, HS, 1),  # 14 x 14
    InvertedResidual(5, 240, 40, True, HS, 1),
    InvertedResidual(5, 120, 48, True, HS, 1),
    InvertedResidual(5, 144, 48, True, HS, 1),
    InvertedResidual(5, 288, 96, True, HS, 2),
    InvertedResidual(5, 576, 96, True, HS, 1),  # 7 x 7
    InvertedResidual(5, 576, 96, True, HS, 1),
)


# MnasNet-A1 (Tan et al., Figure 7): kernel, factor, output, repeats, SE, stride of the first. The
# first block has no shortcut.
MNASNET_A1 = (
    (3, 1, 16, 1, False, 1),  # 112 x 112
    (3, 6, 24, 2, False, 2),
    (5, 3, 40, 3, True, 2),  # 56 x 56
    (3, 6, 80, 4, False, 2),  # 28 x 28
    (3, 6, 112, 2, True, 1),  # 14 x 14
    (5, 6, 160, 3, True, 2),
    (3, 6, 320, 1, False, 1),  # 7 x 7
)


def v1(alpha: float, classes: int) -> tuple[Rows, Rows]:
    """Return V1's backbone and head: widths int(alpha * c), at least 8, no multiples of 8."""

    def width(channels: int) -> int:
        return max(8, int(channels * alpha))

    blocks = (Separable(3, width(out), "relu6", stride) for stride, out in V1)
    backbone = (Convolution("stem", 3, width(32), "relu6", 2), *blocks)
    return backbone, (Pooling(), Classifier(classes, dropout=0.001))


def v1_full(alpha: float, classes: int) -> tuple[Rows, Rows]:
    """Return V1's twin of Table 4: a full 3x3 convolution in the place of each separable one."""
    backbone, head = v1(alpha, classes)
    full = (
        Convolution("", row.kernel, row.out, row.activation, row.stride)
        if isinstance(row, Separable)
        else row
        for row in backbone
    )
    return tuple(full), head


def v2(alpha: float, classes: int) -> tuple[Rows, Rows]:
    """Return V2's backbone and head; the last 1x1 convolution never shrinks (V2, 4)."""

    def width(channels: int) -> int:
        return make_divisible(int(channels * alpha))

    blocks, before = [], 32
    for factor, out, repeats, first_stride in V2:
        for index in range(repeats):
            stride = first_stride if index == 0 else 1
            blocks.append(InvertedResidual(3, factor * before, out, False, "relu6", stride))
            before = out
    stem = make_divisible(32 * alpha)
    backbone = (
        Convolution("stem", 3, stem, "relu6", 2),
        *scaled(tuple(blocks), (32, stem), width),
        Convolution("features", 1, make_divisible(1280 * max(1.0, alpha)), "relu6"),
    )
    return backbone, (Pooling(), Classifier(classes, dropout=0.2, dense=True))


def v3(
    table: tuple[InvertedResidual, ...], hidden: int, activation: str
) -> Callable[[float, int], tuple[Rows, Rows]]:
    """Return the function that makes V3's backbone and head from alpha and classes.

    Widths are as published: the stem has 16 channels at every alpha, the hidden layer only grows.
    """

    def make(alpha: float, classes: int) -> tuple[Rows, Rows]:
        blocks = scaled(table, (16, 16), lambda channels: make_divisible(channels * alpha))
        backbone = (
            Convolution("stem", 3, 16, activation, 2),
            *blocks,
            Convolution("features", 1, make_divisible(blocks[-1].out * 6), activation),
        )
        grown = make_divisible(hidden * alpha) if alpha > 1 else hidden
        head = (Pooling(), Hidden(grown, activation), Classifier(classes, dropout=0.2))
        return backbone, head

    return make


def mnasnet_a1(alpha: float, classes: int) -> tuple[Rows, Rows]:
    """Return MnasNet-A1's backbone and head; the last 1x1 convolution never shrinks.

    Squeeze-and-excite is narrowed to a quarter of the block's input, and gated by a sigmoid.
    """
    blocks, before = [], 32
    for kernel, factor, out, repeats, se, first_stride in MNASNET_A1:
        for index in range(repeats):
            stride = first_stride if index == 0 else 1
            blocks.append(InvertedResidual(kernel, factor * before, out, se, RE, stride))
            before = out
    stem = make_divisible(32 * alpha)
    rows = scaled(tuple(blocks), (32, stem), lambda channels: make_divisible(channels * alpha))
    inputs = (stem, *(row.out for row in rows))
    first, *rest = (
        replace(row, se_width=max(1, width // 4), se_gate="sigmoid") if row.se else row
        for width, row in zip(inputs, rows, strict=False)
    )
    backbone = (
        Convolution("stem", 3, stem, RE, 2),
        replace(first, shortcut=False),
        *rest,
        Convolution("features", 1, make_divisible(1280 * max(1.0, alpha)), RE),
    )
    return backbone, (Pooling(), Classifier(classes, dropout=0.2, dense=True))


def minimalistic(table: tuple[InvertedResidual, ...]) -> tuple[InvertedResidual, ...]:
    """Return the same widths and strides without 5x5 kernels, squeeze-excite or hard-swish."""
    return tuple(replace(row, kernel=3, se=False, activation=RE) for row in table)


def scaled(
    rows: tuple[AnyRow, ...], stem: tuple[int, int], width: Callable[[int], int]
) -> tuple[AnyRow, ...]:
    """Apply `width` to every output; expansions keep their ratio to the block's input.

    `stem` is the stem's width in the table and in the network. Expansions follow the already
    rounded input, as in the released checkpoints (torchvision rounds otherwise).
    """
    result = []
    before, now = stem
    for row in rows:
        table = asdict(row)
        changes: dict[str, Any] = {"out": width(table["out"])}
        if "expansion" in table:
            changes["expansion"] = make_divisible(now * table["expansion"] / before)
        result.append(replace(row, **changes))
        before, now = table["out"], changes["out"]
    return tuple(result)
