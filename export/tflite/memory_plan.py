"""Lifetimes of tensors, and their places in a microcontroller's arena.

TensorFlow Lite Micro places tensors itself, largest first, and leaves gaps: for V1 0.25 at 96x96
it takes 73,728 bytes where 55,296 are enough. A file can bring its own plan, as int32 offsets
under the metadata name OfflineMemoryAllocation; the runtime then fits only its scratch buffers in.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.parse import DTYPES

ALIGNMENT = 16  # bytes, of every buffer in TensorFlow Lite Micro's arena
_ROUNDS = 400
_BITS = {"int4": 4, "int2": 2, "bool": 8}


@dataclass(frozen=True)
class Lifetime:
    """A tensor and the time for which it must stay in memory.

    Attributes:
        size: Bytes of its values.
        first, last: Steps between which it is needed, both included.
    """

    size: int
    first: int
    last: int

    @property
    def aligned_size(self) -> int:
        """Bytes that it occupies in an arena."""
        return -(-self.size // ALIGNMENT) * ALIGNMENT

    def overlaps(self, other: "Lifetime") -> bool:
        """Whether both are needed at the same step."""
        return self.first <= other.last and other.first <= self.last


def lifetimes(model: schema.ModelT) -> dict[int, Lifetime]:
    """Return tensor number -> lifetime of every activation; a step is an operator's number.

    A tensor lives from the operator that writes it to the last operator that reads it. The
    graph's inputs live from the first step, its outputs to the last one.
    """
    graph = model.subgraphs[0]
    first = {int(i): 0 for i in graph.inputs}
    last = dict(first)
    for step, op in enumerate(graph.operators):
        for i in map(int, op.outputs):
            first[i] = last[i] = step
        for i in map(int, op.inputs):
            if i in first:
                last[i] = step
    last |= {int(i): len(graph.operators) - 1 for i in graph.outputs}
    return {
        i: Lifetime(tensor_bytes(graph.tensors[i]), first[i], last[i])
        for i in sorted(first)
        if i >= 0
    }


def tensor_bytes(tensor: schema.TensorT) -> int:
    """Return the bytes of a tensor's values in memory."""
    dtype = DTYPES.get(tensor.type, "")
    bits = _BITS.get(dtype) or int("".join(filter(str.isdigit, dtype)) or 0)
    elements = 1 if tensor.shape is None else prod(int(side) for side in tensor.shape)
    return (elements * bits + 7) // 8


def peak_size(tensors: Iterable[Lifetime]) -> int:
    """Return the most bytes of values that are alive at one step."""
    return _peak(tensors, lambda tensor: tensor.size)


def lower_bound(tensors: Iterable[Lifetime]) -> int:
    """Return the bytes below which no plan can go: the most that is needed at one step."""
    return _peak(tensors, lambda tensor: tensor.aligned_size)


def _peak(tensors: Iterable[Lifetime], size: Callable[[Lifetime], int]) -> int:
    change: dict[int, int] = defaultdict(int)
    for tensor in tensors:
        change[tensor.first] += size(tensor)
        change[tensor.last + 1] -= size(tensor)
    return max(accumulate(change[step] for step in sorted(change)), default=0)


def plan_offsets(tensors: list[Lifetime]) -> list[int]:
    """Return an offset in bytes for each tensor, so that no two overlap and the arena is small.

    Tensors are placed one by one at the lowest free offset. Their order decides the result: the
    search starts with the largest first, then moves the tensor that reaches furthest to the front,
    or sometimes a random one. It stops at the lower bound. Equal inputs give equal plans.
    """
    least, chance = lower_bound(tensors), random.Random(0)
    order = sorted(range(len(tensors)), key=lambda i: (-tensors[i].size, tensors[i].first))
    best = _place(tensors, order)
    for _ in range(_ROUNDS):
        if arena_size(tensors, best) <= least:
            break
        trial = list(order)
        top = max(trial, key=lambda i: best[i] + tensors[i].aligned_size)
        moved = top if chance.random() < 0.7 else chance.choice(trial)
        trial.remove(moved)
        trial.insert(chance.randrange(min(4, len(trial)) + 1), moved)
        offsets = _place(tensors, trial)
        if arena_size(tensors, offsets) <= arena_size(tensors, best):
            order, best = trial, offsets
    return best


def arena_size(tensors: list[Lifetime], offsets: list[int]) -> int:
    """Return the bytes that a plan takes."""
    ends = (at + tensor.aligned_size for at, tensor in zip(offsets, tensors, strict=True))
    return max(ends, default=0)


def arena_size_with(tensors: list[Lifetime], offsets: list[int], scratch: list[Lifetime]) -> int:
    """Return the bytes of a plan into which the interpreter fits scratch buffers, largest first."""
    everything = [*tensors, *scratch]
    order = sorted(range(len(tensors), len(everything)), key=lambda i: -everything[i].size)
    return arena_size(everything, _place(everything, order, offsets))


def _place(tensors: list[Lifetime], order: list[int], fixed: Sequence[int] = ()) -> list[int]:
    """Place each tensor in turn at the lowest offset that is free while it lives.

    Args:
        tensors: All tensors.
        order: Numbers of the tensors to place, in this order.
        fixed: Offsets of the first tensors, which are not in `order`.
    """
    offsets, placed = [*fixed, *[0] * (len(tensors) - len(fixed))], list(range(len(fixed)))
    for index in order:
        tensor, at = tensors[index], 0
        neighbours = (i for i in placed if tensors[i].overlaps(tensor))
        for other in sorted(neighbours, key=offsets.__getitem__):
            if offsets[other] >= at + tensor.aligned_size:
                break
            at = max(at, offsets[other] + tensors[other].aligned_size)
        offsets[index] = at
        placed.append(index)
    return offsets
