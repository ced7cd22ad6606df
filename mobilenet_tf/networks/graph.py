"""A network as a graph of operations: what every consumer of networks reads."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

Shape = tuple[int, int, int]  # height, width, channels
Padding = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
UNPADDED: Padding = ((0, 0), (0, 0))
# Activations that are operators of their own in an int8 file, after their convolution.
OWN_OPERATORS = ("hard_swish", "sigmoid")
BN_EPSILON = 1e-3  # of batch normalization, in all released checkpoints


@dataclass(frozen=True)
class Op:
    """One operation on tensors of batch size 1.

    Attributes:
        kind: `input`, `convolution`, `depthwise`, `dense`, `max_pool`, `mean` (over height and
            width, kept as sides of 1), `multiply`, `add`, `concatenate` (of channels),
            `upsample` (bilinear to twice the sides), `activation` (alone), `softmax` or `flatten`
            (the channels as a vector).
        name: Unique in its graph, such as `block_3/expand`.
        inputs: Names of the operations that it reads.
        shape: (height, width, channels) of its output.
        kernel: Sides of the kernel; (0, 0) where there is none.
        stride: Step in pixels along both axes.
        padding: Zeros around its input.
        activation: Activation that follows, and normalization if there is any: `relu`, `relu6`,
            `hard_swish`, `hard_sigmoid`, `sigmoid` or None.
        norm: Whether batch normalization follows the convolution, which then has no bias.
        dropout: Share of its inputs that training drops.
        block: Part of the network that it belongs to, such as `stem`, `block_3` or `head`.
        dilation: Distance in pixels of the values that a kernel reads, along both axes.
        bias: Whether a convolution without normalization has a bias. Integers always have one, so
            it is no part of `Graph.key`.
        prior: What a sigmoid of its output is before training; None for a bias of 0.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    shape: Shape
    kernel: tuple[int, int] = (0, 0)
    stride: int = 1
    padding: Padding = UNPADDED
    activation: str | None = None
    norm: bool = False
    dropout: float = 0.0
    block: str = ""
    dilation: int = 1
    bias: bool = field(default=True, repr=False)
    prior: float | None = field(default=None, repr=False)

    @property
    def has_weights(self) -> bool:
        """Whether it has a kernel."""
        return self.kind in ("convolution", "depthwise", "dense")

    @property
    def window(self) -> tuple[int, int]:
        """Sides of the kernel with what lies between the values that it reads."""
        height, width = (self.dilation * (side - 1) + 1 for side in self.kernel)
        return height, width


@dataclass(frozen=True)
class Graph:
    """Operations in the order in which they run; the first is the input, the last an output."""

    ops: tuple[Op, ...]

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)

    def __getitem__(self, name: str) -> Op:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Op]:
        return {op.name: op for op in self.ops}

    @property
    def input(self) -> Op:
        """The operation that stands for the picture."""
        return self.ops[0]

    @property
    def output(self) -> Op:
        """The last operation."""
        return self.ops[-1]

    @property
    def outputs(self) -> tuple[Op, ...]:
        """The operations that no other one reads: the last, and for detectors several more."""
        read = {name for op in self.ops for name in op.inputs}
        return tuple(op for op in self.ops if op.name not in read)

    @cached_property
    def strides(self) -> dict[str, int]:
        """Name of each operation -> pixels of the picture per pixel of its output."""
        strides = {self.input.name: 1}
        for op in self.ops[1:]:
            read = max(strides[name] for name in op.inputs)
            strides[op.name] = read // 2 if op.kind == "upsample" else read * op.stride
        return strides

    def weights(self, op: Op) -> int:
        """Return the number of values in an operation's kernel."""
        if not op.has_weights:
            return 0
        area = op.kernel[0] * op.kernel[1]
        reads = 1 if op.kind == "depthwise" else self[op.inputs[0]].shape[2]
        return area * reads * op.shape[2]

    def backbone(self) -> "Graph":
        """Return the graph without its head."""
        return Graph(tuple(op for op in self.ops if op.block != "head"))

    def features(self) -> dict[int, Op]:
        """Return, per stride of the backbone, the output of the last block at that stride.

        Detection and segmentation read them: {2: ..., 4: ..., 8: ..., 16: ..., 32: ...}.
        """
        ops = self.backbone().ops[1:]
        return {
            self.strides[op.name]: op
            for op, following in zip(ops, (*ops[1:], None), strict=True)
            if following is None or following.block != op.block
        }

    def parts(self) -> tuple["Graph", ...]:
        """Split into one graph per block, each with one tensor in.

        Blocks stay together where a later one reads what is inside them, as the head of a detector
        does. The parts of a network are measured one by one and added up.
        """
        places = {op.name: place for place, op in enumerate(self.ops)}
        starts, earliest = [len(self)], len(self)
        for place in range(len(self) - 1, 0, -1):
            op, before = self.ops[place], self.ops[place - 1]
            earliest = min(earliest, *(places[name] for name in op.inputs))
            if earliest >= place - 1 and (place == 1 or op.block != before.block):
                starts.append(place)
        starts.reverse()
        return tuple(
            Graph((Op("input", source.name, (), source.shape), *self.ops[start:end]))
            for start, end in pairwise(starts)
            if (source := self.ops[start - 1])
        )

    @cached_property
    def key(self) -> str:
        """One line that is equal for graphs that compute the same, whatever their names.

        It begins with the block and the shapes of input and output; a digest of all operations
        follows. Measurements are cached under it.
        """
        index = {op.name: number for number, op in enumerate(self.ops)}
        facts = [
            replace(
                op, name="", block="", dropout=0.0, inputs=tuple(f"{index[i]}" for i in op.inputs)
            )
            for op in self.ops
        ]
        digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
        shapes = " -> ".join("x".join(map(str, op.shape)) for op in (self.input, self.output))
        return f"{shapes} {digest}"


def output_side(size: int, kernel: int, stride: int, padding: tuple[int, int]) -> int:
    """Return the side of what a window leaves of an axis of `size` pixels."""
    return (size + sum(padding) - kernel) // stride + 1


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros that padding "same" adds before and after an axis of `size` pixels."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def no_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return no zeros: the kernel stays inside."""
    return 0, 0


def ceil_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros after an axis with which its last pixels are not left out (Caffe)."""
    return 0, -(size - kernel) % stride


def even_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the same for an even size; V1's released checkpoints treat every size so."""
    return same_padding(size + size % stride, kernel, stride)
