"""Which channels of a network are tied to each other, and networks with fewer of them.

Additions, depthwise convolutions and squeeze-and-excite tie the channels of several tensors: they
can only be removed together. The graph says which, so that no family of networks is a special case.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.lower import labelled, lower, width_fields
from mobilenet_tf.networks.rows import Network, Row


class Channels:
    """The channels of every tensor of a graph, as numbers: tied channels have the same one.

    Attributes:
        graph: The graph.
        of: Operation -> int array (channels,) of its output.
        count: All numbers are below it.
    """

    def __init__(self, graph: Graph):
        self.graph, self.count = graph, 0
        self.of: dict[str, np.ndarray] = {}
        for op in graph:
            self.of[op.name] = getattr(self, f"_{op.kind}", self._first)(op)

    def _new(self, op: Op) -> np.ndarray:
        self.count += op.shape[2]
        return np.arange(self.count - op.shape[2], self.count)

    _input = _convolution = _dense = _new

    def _first(self, op: Op) -> np.ndarray:
        return self.of[op.inputs[0]]

    def _depthwise(self, op: Op) -> np.ndarray:
        channels = self._first(op)
        return np.repeat(channels, op.shape[2] // len(channels))

    def _concatenate(self, op: Op) -> np.ndarray:
        return np.concatenate([self.of[name] for name in op.inputs])

    def _add(self, op: Op) -> np.ndarray:
        one, other = op.inputs
        while (self.of[one] != self.of[other]).any():
            same = np.arange(self.count)
            pair = self.of[one], self.of[other]
            same[np.maximum(*pair)] = np.minimum(*pair)
            self.of = {name: same[numbers] for name, numbers in self.of.items()}
        return self.of[one]

    _multiply = _add

    @cached_property
    def fixed(self) -> set[int]:
        """The channels of the input and of the outputs."""
        return {
            int(channel)
            for op in (self.graph.input, *self.graph.outputs)
            for channel in self.of[op.name]
        }


@dataclass(frozen=True)
class Width:
    """A number of channels that can be changed, with everything that is tied to it.

    Attributes:
        fields: (index among the rows of backbone and head, field) of each field that has it.
        channels: The number now.
        name: Name to show: the blocks and the field, such as `block_3 expansion` or
            `block_4 to block_6 out`.
    """

    fields: tuple[tuple[int, str], ...]
    channels: int
    name: str


@dataclass
class _Tied:
    """Fields that must have the same value, and the channels that they count."""

    fields: list[tuple[int, str, str]]  # place, field, label
    channels: set[int]


@lru_cache(maxsize=8)
def channels_of(network: Network) -> Channels:
    """Return the channels of a network's graph."""
    return Channels(lower(network))


def widths(network: Network) -> tuple[Width, ...]:
    """Return the widths of a network, from the input to the output.

    Those of the image and of the classes are left out, and so are those of rows whose lowering does
    not declare them.
    """
    rows, channels = [row for _, row in labelled(network)], channels_of(network)
    found = []
    for one in _tied(network, channels):
        values = {getattr(rows[place], field) for place, field, _ in one.fields}
        if len(values) == 1 and not one.channels & channels.fixed:
            labels = list(dict.fromkeys(label for *_, label in one.fields))
            named = [label for label in labels if label != "head"] or labels
            last = f" to {named[-1]}" if len(named) > 1 else ""
            fields = tuple((place, field) for place, field, _ in one.fields)
            found.append(Width(fields, values.pop(), f"{named[0]}{last} {fields[0][1]}"))
    return tuple(found)


def _tied(network: Network, channels: Channels) -> list[_Tied]:
    found: list[_Tied] = []
    for place, (label, row) in enumerate(labelled(network)):
        for field, names in width_fields(label, row).items():
            numbers = {int(n) for name in names if name in channels.of for n in channels.of[name]}
            if not numbers:
                continue
            joined = _Tied([(place, field, label)], numbers)
            for other in [one for one in found if one.channels & numbers]:
                found.remove(other)
                joined = _Tied(other.fields + joined.fields, other.channels | joined.channels)
            found.append(joined)
    return sorted(found, key=lambda one: one.fields[0][0])


def narrowed(network: Network, changes: Iterable[tuple[Width, int]]) -> Network | None:
    """Return a network with other widths; None if that would change its operations.

    An expansion as wide as the block's input is left out of the graph, and a block whose output
    becomes as wide as its input gets a shortcut.
    """
    rows = [row for _, row in labelled(network)]
    for width, channels in changes:
        for place, field in width.fields:
            values: dict[str, Any] = {field: channels}
            rows[place] = replace(rows[place], **values)
    changed = _with_rows(network, rows)
    before, after = lower(network), lower(changed)
    same = [(op.name, op.inputs) for op in before] == [(op.name, op.inputs) for op in after]
    return changed if same else None


def _with_rows(network: Network, rows: list[Row]) -> Network:
    count = len(network.backbone)
    return replace(network, backbone=tuple(rows[:count]), head=tuple(rows[count:]))


@dataclass(frozen=True)
class Cut:
    """A network, a smaller one, and what the smaller one keeps.

    Attributes:
        source: The larger network.
        network: The smaller network.
        kept: Operation of the larger network -> bool array (channels,) of its output. A network
            that computes zeros for the other channels computes what the smaller one does.
        names: Operation of the smaller network -> the larger network's.
    """

    source: Network
    network: Network
    kept: dict[str, np.ndarray]
    names: dict[str, str]

    def arrays(self, op: Op, arrays: list[np.ndarray], norm: bool = False) -> list[np.ndarray]:
        """Return the weights of a layer of the smaller network.

        Args:
            op: Operation of the smaller network.
            arrays: Weights of the layer of the larger one, in Keras's order.
            norm: Whether it is the operation's normalization, or else its own layer.
        """
        out = self.kept[self.names[op.name]]
        if norm:
            return [values[out] for values in arrays]
        read = self.kept[self.names[op.inputs[0]]]
        kernel, *bias = arrays
        kernel = kernel[..., read, :]
        if op.kind != "depthwise":
            kernel = kernel[..., out]
        return [kernel, *(values[out] for values in bias)]


def cut(source: Network, network: Network, norms: Callable[[Op], np.ndarray]) -> Cut:
    """Return the cut to a network that `narrowed` made.

    Of channels that are tied, those with the largest norms are kept.

    Args:
        source: The larger network.
        network: The smaller network.
        norms: Returns float (channels,) for a convolution of the larger network: the L2 norms of
            the kernels of its output channels. Tied kernels count as one vector.
    """
    channels, graph = channels_of(source), lower(network)
    squares = np.zeros(channels.count)
    for op in channels.graph:
        if op.kind in ("convolution", "dense"):
            np.add.at(squares, channels.of[op.name], norms(op) ** 2)
    kept = np.ones(channels.count, bool)
    for op in graph:
        numbers = np.unique(channels.of[op.name])
        surplus = int(kept[channels.of[op.name]].sum()) - op.shape[2]
        if surplus and op.kind in ("convolution", "dense"):
            left = numbers[kept[numbers]]
            kept[left[np.argsort(squares[left], kind="stable")[:surplus]]] = False
        if int(kept[channels.of[op.name]].sum()) != op.shape[2]:
            raise ValueError(f"{op.name} cannot have {op.shape[2]} of the channels that it has")
    by_op = {name: kept[numbers] for name, numbers in channels.of.items()}
    return Cut(source, network, by_op, {op.name: op.name for op in graph})


def removable(network: Network) -> Iterator[str]:
    """Yield the blocks that add to their input, and that a network therefore works without."""
    graph = lower(network)
    for part in graph.parts():
        last = part.output
        if last.kind == "add" and part.input.name in last.inputs and last.block != "head":
            yield last.block


def without(source: Network, block: str) -> Cut:
    """Return the cut that removes one of the blocks that `removable` yields."""
    rows = [(label, row) for label, row in labelled(source) if label != block]
    count = len(source.backbone) - 1
    network = replace(
        source,
        backbone=tuple(row for _, row in rows[:count]),
        head=tuple(row for _, row in rows[count:]),
    )
    before = [op for op in lower(source) if op.block != block]
    names = {new.name: old.name for new, old in zip(lower(network), before, strict=True)}
    kept = {
        op.name: np.full(op.shape[2], op.block != block or op.kind == "add") for op in lower(source)
    }
    return Cut(source, network, kept, names)
