"""The one place where rows are read: a network -> its graph of operations.

Each kind of row has one function here, registered with `lowering`. The Keras builder, the counter,
the writer of int8 files and the measurements read graphs and know no rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.factorize import Factorization, rewritten
from mobilenet_tf.networks.graph import (
    Graph,
    Op,
    Shape,
    even_padding,
    no_padding,
    output_side,
    same_padding,
)
from mobilenet_tf.networks.rows import (
    Classifier,
    Convolution,
    Hidden,
    InvertedResidual,
    Network,
    Pooling,
    Row,
    Separable,
    squeeze_width,
)

PaddingRule = Callable[[int, int, int], tuple[int, int]]  # size, kernel, stride -> before, after
AnyRow = TypeVar("AnyRow", bound=Row)
Lowering = Callable[["GraphBuilder", Op, AnyRow], Op]
Widths = Mapping[str, tuple[str, ...]]  # field of a row -> operations with so many channels
_LOWERINGS: dict[type[Row], Lowering] = {}
_WIDTHS: dict[type[Row], Callable[[Any], Widths]] = {}


def lowering(
    row: type[AnyRow], widths: Callable[[AnyRow], Widths] = lambda row: {}
) -> Callable[[Lowering[AnyRow]], Lowering[AnyRow]]:
    """Decorate the function that appends a row of this class to a graph.

    It is called with the `GraphBuilder`, the operation whose output the row reads, and the row,
    and returns the operation that makes the row's output.

    Args:
        row: The class.
        widths: Returns which fields of a row are numbers of output channels, and the operations
            that have so many. Channels of other rows cannot be cut.
    """

    def register(function: Lowering[AnyRow]) -> Lowering[AnyRow]:
        _LOWERINGS[row], _WIDTHS[row] = function, widths
        return function

    return register


@lru_cache(maxsize=1024)
def lower(network: Network) -> Graph:
    """Return the graph of a network, from the picture to the output of its head.

    Raises:
        UserError: A kind of row has no lowering, the input is too small for the network, or it
            cannot be factorized so.
    """
    builder = GraphBuilder(network.input.shape)
    x = builder.ops[0]
    for label, row in labelled(network):
        x = builder.append(x, row, label)
    if network.factorize and network.layer_names != "plain":
        raise UserError(
            f"layer_names is {network.layer_names!r}; a factorized network's must be plain."
        )
    return rewritten(Graph(tuple(builder.ops)), network.factorize)


def labelled(network: Network) -> Iterator[tuple[str, Row]]:
    """Yield the block of each row in the graph, such as `block_3`, and the row."""
    blocks = 0
    for row in network.backbone:
        label = getattr(row, "name", "")
        if not label:
            blocks += 1
            label = f"block_{blocks}"
        yield label, row
    for row in network.head:
        yield "head", row


def width_fields(label: str, row: Row) -> dict[str, tuple[str, ...]]:
    """Return the fields of a row that are numbers of channels -> names of operations of a graph."""
    found = _WIDTHS[type(row)](row)
    return {
        field: tuple(_full_name(label, name) for name in names) for field, names in found.items()
    }


def _full_name(block: str, name: str) -> str:
    return name if block in ("head", name) else f"{block}/{name}"


def factorized(network: Network, text: str) -> Network:
    """Return a network with full convolutions in a factored form, such as `tucker=16`.

    Its layers have plain names, because published files have none for theirs.

    Raises:
        UserError: See `Factorization.parse`; or nothing in the network has that form.
    """
    Factorization.parse(text)
    changed = replace(network, factorize=text, layer_names="plain")
    if lower(changed) == lower(network):
        raise UserError(f"factorize is {text!r}; {network.title} has no convolution for it.")
    return changed


class GraphBuilder:
    """Appends operations to a graph; every method returns the operation that it appended."""

    def __init__(self, shape: Shape):
        self.ops = [Op("input", "image", (), shape)]
        self.block = ""

    def append(self, x: Op, row: Row, block: str) -> Op:
        """Append a row to the part of the network called `block`."""
        if type(row) not in _LOWERINGS:
            raise UserError(f"The row {row!r} has no lowering; register one with `lowering`.")
        self.block = block
        return _LOWERINGS[type(row)](self, x, row)

    def name(self, name: str) -> str:
        """Return an operation's full name in the current block."""
        return _full_name(self.block, name)

    def op(self, kind: str, name: str, inputs: tuple[Op, ...], shape: Shape, **facts: Any) -> Op:
        """Append an operation of any kind; `facts` are further fields of `Op`."""
        names = tuple(x.name for x in inputs)
        op = Op(kind, self.name(name), names, shape, block=self.block, **facts)
        self.ops.append(op)
        return op

    def convolution(
        self,
        x: Op,
        name: str,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        rule: PaddingRule = same_padding,
        **facts: Any,
    ) -> Op:
        """Append a convolution, normalized and with padding "same" unless told otherwise."""
        shape, window = _windowed(x.shape, kernel, stride, rule)
        facts = {"norm": True} | window | facts
        return self.op("convolution", name, (x,), (*shape, out), **facts)

    def depthwise(
        self,
        x: Op,
        name: str,
        kernel: int,
        stride: int = 1,
        rule: PaddingRule = same_padding,
        **facts: Any,
    ) -> Op:
        """Append a depthwise convolution, normalized unless `norm` is False."""
        shape, window = _windowed(x.shape, kernel, stride, rule)
        facts = {"norm": True} | window | facts
        return self.op("depthwise", name, (x,), (*shape, x.shape[2]), **facts)

    def max_pool(
        self, x: Op, name: str, kernel: int, stride: int, rule: PaddingRule = same_padding
    ) -> Op:
        """Append the maximum of each channel over a window.

        Padding by a rule other than `same_padding` and `no_padding` may compare with zeros, so
        that the input must not be negative.
        """
        shape, window = _windowed(x.shape, kernel, stride, rule)
        return self.op("max_pool", name, (x,), (*shape, x.shape[2]), **window)

    def activation(self, x: Op, name: str, activation: str) -> Op:
        """Append an activation of a tensor that has other readers too."""
        return self.op("activation", name, (x,), x.shape, activation=activation)

    def concatenate(self, inputs: tuple[Op, ...], name: str) -> Op:
        """Append the channels of several tensors of one height and width, one after the other."""
        height, width, _ = inputs[0].shape
        channels = sum(x.shape[2] for x in inputs)
        return self.op("concatenate", name, inputs, (height, width, channels))

    def mean(self, x: Op, name: str) -> Op:
        """Append the mean of each channel over height and width."""
        return self.op("mean", name, (x,), (1, 1, x.shape[2]))

    def scores(self, logits: Op, row: Classifier) -> Op:
        """Append what ends a classifier: a softmax, or the logits as a vector."""
        kind, name = ("softmax", "probabilities") if row.softmax else ("flatten", "scores")
        return self.op(kind, name, (logits,), logits.shape)

    def add(self, x: Op, y: Op, name: str) -> Op:
        """Append the sum of two tensors of one shape."""
        return self.op("add", name, (x, y), y.shape)

    def residual(self, shortcut: Op, x: Op, stride: int) -> Op:
        """Append the sum with the block's input where stride 1 and equal widths allow it."""
        fits = stride == 1 and shortcut.shape == x.shape
        return self.add(shortcut, x, "add") if fits else x

    def squeeze_excite(
        self, x: Op, width: int | None = None, activation: str = "hard_sigmoid"
    ) -> Op:
        """Scale each channel by 0 to 1, computed from all channels' means (V3, 5.3)."""
        channels = x.shape[2]
        width = width or squeeze_width(channels)
        gate = self.mean(x, "se/mean")
        gate = self.convolution(gate, "se/reduce", width, activation="relu", norm=False)
        gate = self.convolution(gate, "se/expand", channels, activation=activation, norm=False)
        return self.op("multiply", "se/multiply", (x, gate), x.shape)


def _windowed(
    shape: Shape, kernel: int, stride: int, rule: PaddingRule
) -> tuple[tuple[int, int], dict[str, Any]]:
    """Return height and width of an operation's output, and the fields of its window."""
    rows, columns = rule(shape[0], kernel, stride), rule(shape[1], kernel, stride)
    height = output_side(shape[0], kernel, stride, rows)
    width = output_side(shape[1], kernel, stride, columns)
    if min(height, width) < 1:
        raise UserError(f"The input is too small: {shape[0]}x{shape[1]} pixels are left of it.")
    window = {"kernel": (kernel, kernel), "stride": stride, "padding": (rows, columns)}
    return (height, width), window


@lowering(Convolution, lambda row: {"out": (row.name or "convolution",)})
def _convolution(graph: GraphBuilder, x: Op, row: Convolution) -> Op:
    return graph.convolution(
        x,
        row.name or "convolution",
        row.out,
        row.kernel,
        row.stride,
        same_padding if row.padded else no_padding,
        activation=row.activation,
        norm=row.norm,
    )


@lowering(Separable, lambda row: {"out": ("project",)})
def _separable(graph: GraphBuilder, x: Op, row: Separable) -> Op:
    x = graph.depthwise(
        x,
        "depthwise",
        row.kernel,
        row.stride,
        even_padding if row.stride > 1 else same_padding,
        activation=row.activation,
    )
    if row.se:
        x = graph.squeeze_excite(x)
    return graph.convolution(x, "project", row.out, activation=row.activation)


@lowering(InvertedResidual, lambda row: {"expansion": ("depthwise",), "out": ("project",)})
def _inverted_residual(graph: GraphBuilder, x: Op, row: InvertedResidual) -> Op:
    shortcut = x
    if row.expansion != x.shape[2]:
        x = graph.convolution(x, "expand", row.expansion, activation=row.activation)
    x = graph.depthwise(x, "depthwise", row.kernel, row.stride, activation=row.activation)
    if row.se:
        x = graph.squeeze_excite(x, row.se_width, row.se_gate)
    x = graph.convolution(x, "project", row.out, activation=row.projection_activation)
    return graph.residual(shortcut, x, row.stride) if row.shortcut else x


@lowering(Pooling)
def _pooling(graph: GraphBuilder, x: Op, row: Pooling) -> Op:
    return graph.mean(x, "pool")


@lowering(Hidden, lambda row: {"out": ("hidden",)})
def _hidden(graph: GraphBuilder, x: Op, row: Hidden) -> Op:
    return graph.convolution(x, "hidden", row.out, activation=row.activation, norm=row.norm)


@lowering(Classifier)
def _classifier(graph: GraphBuilder, x: Op, row: Classifier) -> Op:
    kind, shape = "dense" if row.dense else "convolution", (1, 1, row.classes)
    logits = graph.op(kind, "classifier", (x,), shape, kernel=(1, 1), dropout=row.dropout)
    return graph.scores(logits, row)
