"""Read an int8 `.tflite` into operators with their tensors, and give each activation its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf, prod
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.compressed.decode_operator import stored_tensors
from mobilenet_tf.deployment.tflite.kernels import INT4, unpack_int4
from mobilenet_tf.deployment.tflite.memory_plan import (
    Lifetime,
    arena_size,
    lifetimes,
    plan_offsets,
)
from mobilenet_tf.deployment.tflite.parse import DTYPES, op_names, parse_model

_SAME_BYTES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")  # what they return is their input


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file.

    Attributes:
        number: Its number in the file.
        shape: Its sides, batch first.
        dtype: "int8", "int32" and so on; values of "int4" are held in int8.
        scales, zero_points: Quantization; one entry, or one per channel.
        axis: Axis of its channels, if it has a scale for each.
        data: Its values if it is constant, else None.
        restored: Its values if it is decoded from constants while the program runs, else None.
    """

    number: int
    shape: tuple[int, ...]
    dtype: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int
    data: np.ndarray | None
    restored: np.ndarray | None

    @property
    def values(self) -> np.ndarray | None:
        """Its values, if they are the same in every run."""
        return self.restored if self.data is None else self.data

    @property
    def scale(self) -> np.float32:
        """Scale of a tensor with a single one."""
        return np.float32(self.scales[0])

    @property
    def zero_point(self) -> int:
        """Zero point of a tensor with a single one."""
        return int(self.zero_points[0])

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Operator:
    """An operator with its tensors.

    Attributes:
        kind: "CONV_2D" and so on.
        step: Its number in the file.
        inputs: Its inputs; None for one that is left out.
        output: Its only output.
        options: Fields of its table of options, see the schema.
        code: The entry of the file's operator table.
    """

    kind: str
    step: int
    inputs: tuple[Tensor | None, ...]
    output: Tensor
    options: Any
    code: Any

    def input(self, index: int) -> Tensor:
        """Return an input that must be there."""
        tensor = self.inputs[index]
        if tensor is None:
            raise UserError(f"Operator {self.step} ({self.kind}) lacks its input {index}.")
        return tensor

    def error(self, reason: str) -> UserError:
        """Return the error that this operator has no form in C."""
        return UserError(f"Operator {self.step} ({self.kind}) {reason}, which has no form in C.")


@dataclass(frozen=True, eq=False)
class Program:
    """The operators of a file, in order.

    Attributes:
        operators: Without those that only change a shape.
        input: Number of the first tensor.
        outputs: Number of the root of each output -> where its values lie among those of all.
        roots: Number of each activation -> number of the tensor whose memory it shares.
        lives: Number of each root -> its lifetime.
    """

    operators: tuple[Operator, ...]
    input: int
    outputs: Mapping[int, int]
    roots: Mapping[int, int]
    lives: Mapping[int, Lifetime]


@dataclass(frozen=True)
class Layout:
    """Places in the arena.

    Attributes:
        offsets: Number of each root -> offset in bytes.
        scratch: Operator's step -> offset of its scratch.
        size: Bytes of the arena.
    """

    offsets: Mapping[int, int]
    scratch: Mapping[int, int]
    size: int


def read_program(content: bytes) -> Program:
    """Read the operators of an int8 file with one input.

    Raises:
        UserError: It is damaged, an operator has several outputs, or a tensor is not int8.
    """
    model = parse_model(content)
    graph, names = model.subgraphs[0], op_names(model)
    restored = {number: stored.values for number, stored in stored_tensors(model, inf)}
    tensors = [_tensor(model, number, restored) for number in range(len(graph.tensors))]
    operators, roots = [], {number: number for number in lifetimes(model)}
    for step, op in enumerate(graph.operators):
        kind = names[op.opcodeIndex]
        if len(op.outputs) != 1:
            raise UserError(f"Operator {step} ({kind}) has {len(op.outputs)} outputs, not one.")
        inputs = tuple(tensors[i] if i >= 0 else None for i in map(int, op.inputs))
        output = tensors[int(op.outputs[0])]
        if kind in _SAME_BYTES:
            roots[output.number] = roots[int(op.inputs[0])]
            continue
        code = model.operatorCodes[op.opcodeIndex]
        operators.append(Operator(kind, step, inputs, output, op.builtinOptions, code))
    for number in roots:
        if tensors[number].dtype != "int8":
            raise UserError(
                f"Tensor {number} is {tensors[number].dtype}; the C form has int8 only."
            )
    return Program(
        operators=tuple(operators),
        input=roots[int(graph.inputs[0])],
        outputs=_output_offsets([tensors[int(index)] for index in graph.outputs], roots),
        roots=roots,
        lives=_merged(lifetimes(model), roots),
    )


def _output_offsets(outputs: Sequence[Tensor], roots: Mapping[int, int]) -> dict[int, int]:
    starts = [0, *accumulate(output.size for output in outputs)]
    found = {roots[output.number]: start for output, start in zip(outputs, starts, strict=False)}
    if len(found) < len(outputs):
        raise UserError("Two outputs are the same tensor, which has no form in C.")
    return found


def lay_out(program: Program, scratch: Mapping[int, int]) -> Layout:
    """Place all activations and the scratch of operators in an arena.

    Args:
        program: The operators.
        scratch: Operator's step -> bytes that it needs besides its tensors.
    """
    extra = {step: Lifetime(size, step, step) for step, size in scratch.items() if size}
    lives = [*program.lives.values(), *extra.values()]
    offsets = plan_offsets(lives)
    count = len(program.lives)
    return Layout(
        offsets=dict(zip(program.lives, offsets[:count], strict=True)),
        scratch=dict(zip(extra, offsets[count:], strict=True)),
        size=arena_size(lives, offsets),
    )


def _merged(lives: Mapping[int, Lifetime], roots: Mapping[int, int]) -> dict[int, Lifetime]:
    """Return root -> the time for which any tensor in its memory lives."""
    merged: dict[int, Lifetime] = {}
    for number, life in lives.items():
        root = roots[number]
        known = merged.get(root, life)
        merged[root] = Lifetime(
            known.size, min(known.first, life.first), max(known.last, life.last)
        )
    return merged


def _tensor(model: schema.ModelT, number: int, restored: Mapping[int, np.ndarray | None]) -> Tensor:
    tensor = model.subgraphs[0].tensors[number]
    quantization = tensor.quantization
    dtype = DTYPES.get(tensor.type, str(tensor.type))
    shape = () if tensor.shape is None else tuple(map(int, tensor.shape))
    data = model.buffers[tensor.buffer].data
    values = None
    if data is not None and len(data):
        content = np.asarray(data, np.uint8)
        narrow = dtype == INT4
        flat = unpack_int4(content)[: prod(shape)] if narrow else content.view(np.dtype(dtype))
        values = flat.reshape(shape)
    scales = _values(getattr(quantization, "scale", None), np.float32)
    zero_points = _values(getattr(quantization, "zeroPoint", None), np.int64)
    axis = int(getattr(quantization, "quantizedDimension", 0))
    decoded = restored.get(number)
    return Tensor(number, shape, dtype, scales, zero_points, axis, values, decoded)


def _values(values: Sequence[Any] | np.ndarray | None, dtype: Any) -> np.ndarray:
    return np.zeros(0, dtype) if values is None else np.asarray(values, dtype)
