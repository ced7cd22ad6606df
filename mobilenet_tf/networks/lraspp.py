"""Segmentation heads on any backbone: R-ASPP and LR-ASPP (V3, 6.4).

A network ends in one output: the logits of the classes, on a coarse grid. Enlarging them to the
picture, and choosing a class per pixel, are not part of it. The structure is that of TensorFlow's
DeepLab, whose counts the paper prints, but for one thing: its last 1x1 convolution, which has few
outputs, stands before the enlargement and not after it. Both orders compute the same.
"""

from dataclasses import dataclass, replace

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import Graph, Op, same_padding
from mobilenet_tf.networks.last_stage import halved_last_stage
from mobilenet_tf.networks.lower import GraphBuilder, lowering
from mobilenet_tf.networks.rows import Convolution, Head, Hidden, Network, row_kind

OUTPUT_STRIDES = (8, 16, 32)
LOW_STRIDES = (2, 4, 8, 16)


@dataclass(frozen=True)
class Segmenter(Head):
    """What both heads have in common.

    Attributes:
        classes: Number of classes.
        features: Number of channels in the head; F in the paper's Table 7.
        output_stride: Largest stride of the backbone. Where the network has larger ones, its
            kernels are dilated instead, as in DeepLab.
    """

    classes: int
    features: int = 128
    output_stride: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_in("output_stride", self.output_stride, OUTPUT_STRIDES)


@row_kind("lraspp")
@dataclass(frozen=True)
class LRASPP(Segmenter):
    """Lite R-ASPP (V3, Figure 10): features times a gate, plus logits of a finer map.

    The gate is computed from the means over the whole map, as in torchvision, and not over windows
    of 49x49. The finer map is the last depthwise convolution at its stride, as in DeepLab.

    Attributes:
        low_stride: Stride of the finer map, and of the output.
    """

    low_stride: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_in("low_stride", self.low_stride, LOW_STRIDES)


@row_kind("raspp")
@dataclass(frozen=True)
class RASPP(Segmenter):
    """R-ASPP (V3, 6.4): a 1x1 convolution and the means over the map, joined by another one.

    The output has the backbone's stride. The joining convolution reads both branches separately and
    adds, which computes the same as reading their concatenation.
    """

    features: int = 256


def segmenter(network: Network, head: Segmenter, *, halved: bool = False) -> Network:
    """Return a segmenter with the backbone of a network.

    A last 1x1 convolution that only widens the features for a classifier is left out (V2, 6.2): it
    is one that no hidden layer follows.

    Args:
        network: Any classifier.
        head: The head.
        halved: Whether the last stage has half as many channels (V3, 6.4: RF2).

    Raises:
        UserError: The input's sides are no multiples of the strides.
    """
    backbone, last = network.backbone, network.backbone[-1]
    hidden = any(isinstance(row, Hidden) for row in network.head)
    if isinstance(last, Convolution) and last.kernel == 1 and not hidden:
        backbone = backbone[:-1]
    if halved:
        backbone = halved_last_stage(backbone, expansion=True)
    return replace(network, backbone=backbone, head=(head,))


@lowering(LRASPP, lambda row: {"features": ("project", "gate")})
def _lraspp(graph: GraphBuilder, x: Op, row: LRASPP) -> Op:
    finer = _finer_map(Graph(tuple(graph.ops)), row.low_stride).name
    x, low = _dilated_backbone(graph, row, x.name, finer)
    doublings = _doublings(x, low)
    gate = graph.mean(x, "pool")
    # The gate of squeeze-and-excite (V3, 5.3), which costs no operator of its own.
    gate = graph.convolution(gate, "gate", row.features, activation="hard_sigmoid", norm=False)
    x = graph.convolution(x, "project", row.features, activation="relu")
    x = graph.op("multiply", "gated", (x, gate), x.shape)
    x = graph.convolution(x, "high_logits", row.classes, norm=False)
    for number in range(1, doublings + 1):
        rows, columns, channels = x.shape
        x = graph.op("upsample", f"upsample_{number}", (x,), (2 * rows, 2 * columns, channels))
    low = graph.convolution(low, "low_logits", row.classes, norm=False)
    return graph.add(x, low, "logits")


@lowering(RASPP, lambda row: {"features": ("project", "merge")})
def _raspp(graph: GraphBuilder, x: Op, row: RASPP) -> Op:
    (x,) = _dilated_backbone(graph, row, x.name)
    # Without normalization: there is one value per picture, too few for a batch's statistics.
    pooled = graph.mean(x, "pool")
    pooled = graph.convolution(pooled, "pooled", row.features, activation="relu", norm=False)
    pooled = graph.convolution(pooled, "merge_pooled", row.features, norm=False, bias=False)
    x = graph.convolution(x, "project", row.features, activation="relu")
    x = graph.convolution(x, "merge", row.features)
    x = graph.activation(graph.add(pooled, x, "sum"), "merged", "relu")
    return graph.convolution(x, "logits", row.classes, norm=False)


def _dilated_backbone(graph: GraphBuilder, row: Segmenter, *names: str) -> tuple[Op, ...]:
    """Limit the strides of a builder's operations; return those with these names."""
    height, width, _ = graph.ops[0].shape
    if height % row.output_stride or width % row.output_stride:
        raise UserError(
            f"size is {height}x{width} (height x width); a segmenter of output_stride "
            f"{row.output_stride} needs multiples of {row.output_stride}."
        )
    dilated = atrous(Graph(tuple(graph.ops)), row.output_stride)
    graph.ops[:] = dilated.ops
    return tuple(dilated[name] for name in names)


def atrous(graph: Graph, most: int) -> Graph:
    """Return a graph whose maps have a stride of at most `most`, with the same weights (DeepLab).

    An operation that would go beyond has stride 1, and what follows it reads values that lie as far
    apart as they did.
    """
    rates = {name: max(1, stride // most) for name, stride in graph.strides.items()}
    made = {graph.input.name: graph.input}
    for op in graph.ops[1:]:
        sources = [made[name] for name in op.inputs]
        rate = max(rates[name] for name in op.inputs)
        if rates[op.name] > rate:
            op = replace(op, stride=1)
        if rates[op.name] > 1 and op.kind != "mean":
            height, width = (max(source.shape[axis] for source in sources) for axis in (0, 1))
            op = replace(op, shape=(height, width, op.shape[2]))
            if op.kernel != (0, 0):
                dilation = rate if op.has_weights and max(op.kernel) > 1 else 1
                op = replace(op, dilation=dilation)
                sides = zip((height, width), op.window, strict=True)
                rows, columns = (same_padding(side, window, 1) for side, window in sides)
                op = replace(op, padding=(rows, columns))
        made[op.name] = op
    return Graph(tuple(made.values()))


def _finer_map(graph: Graph, stride: int) -> Op:
    """Return the last depthwise convolution of a backbone at a stride, or what its block returns.

    Raises:
        UserError: The backbone has no such stride.
    """
    at_stride = [op for op in graph.ops[1:] if graph.strides[op.name] == stride]
    if not at_stride:
        known = ", ".join(map(str, sorted(set(graph.strides.values()) & set(LOW_STRIDES))))
        raise UserError(f"low_stride is {stride}; it must be one of this backbone's: {known}.")
    return next(
        (op for op in reversed(at_stride) if op.kind == "depthwise"), graph.features()[stride]
    )


def _doublings(coarse: Op, fine: Op) -> int:
    """Return how often the sides of one map must be doubled to be those of another.

    Raises:
        UserError: They are never equal, because the backbone does not pad its maps.
    """
    number = (fine.shape[0] // coarse.shape[0]).bit_length() - 1
    if tuple(side << number for side in coarse.shape[:2]) != fine.shape[:2]:
        (height, width, _), (rows, columns, _) = coarse.shape, fine.shape
        raise UserError(
            f"This backbone's map of {height}x{width} pixels, doubled, is never the finer one of "
            f"{rows}x{columns}: a segmenter needs a backbone that halves its maps."
        )
    return number


def _check_in(name: str, value: int, accepted: tuple[int, ...]) -> None:
    if value not in accepted:
        raise UserError(f"{name} is {value!r}; it must be one of {', '.join(map(str, accepted))}.")
