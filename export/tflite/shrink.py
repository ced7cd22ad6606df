"""What a microcontroller does not read, taken out of a `.tflite`. Results stay the same.

Every step takes a parsed model and changes it in place; `slimming` shows what each is worth.
Per-channel quantization writes three arrays for each kernel and each bias: the zero points are
all zero, so they become one array that all tensors of a length share, and a bias's scale is
its input's times its kernel's, which no runtime reads from the file.
"""

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.flatbuffer import AlignedBuilder, op_codes, pack
from mobilenet_tf.deployment.tflite.interpreter import DTYPES, parse_model
from mobilenet_tf.deployment.tflite.memory_plan import Life, plan
from mobilenet_tf.deployment.tflite.metadata import set_metadata

PLAN_NAME = b"OfflineMemoryAllocation"
_PLAN_VERSION, _SUBGRAPH, _CONSTANT = 1, 0, -1
_Op = schema.BuiltinOperator


class SharingBuilder(AlignedBuilder):
    """Writes equal arrays once; whoever has such an array points at it."""

    def __init__(self, size: int):
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x):
        key = x.dtype.str, x.tobytes()
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]


def pack_shared(model: schema.ModelT) -> bytes:
    """The file's bytes, equal arrays written once."""
    return pack(model, SharingBuilder)


def _drop_names(model: schema.ModelT) -> None:
    """Names of tensors, signatures and the converter's remarks."""
    model.description = model.signatureDefs = model.metadata = model.metadataBuffer = None
    for graph in model.subgraphs:
        graph.name = None
        for tensor in graph.tensors:
            tensor.name = None


def _drop_bias_scales(model: schema.ModelT) -> None:
    """A bias's scale is that of its input times that of its kernel."""
    graph = model.subgraphs[0]
    for op in graph.operators:
        convolution = op_codes(model)[op.opcodeIndex] in (_Op.CONV_2D, _Op.DEPTHWISE_CONV_2D)
        if convolution and len(op.inputs) > 2 and op.inputs[2] >= 0:
            graph.tensors[op.inputs[2]].quantization = None


def _drop_flatten(model: schema.ModelT) -> None:
    """The RESHAPE in front of a SOFTMAX, which works along the last axis of any shape."""
    graph = model.subgraphs[0]
    codes = op_codes(model)
    for op in list(graph.operators):
        readers = [other for other in graph.operators if op.outputs[0] in other.inputs]
        if codes[op.opcodeIndex] != _Op.RESHAPE or len(readers) != 1:
            continue
        source = graph.tensors[op.inputs[0]]
        if codes[readers[0].opcodeIndex] == _Op.SOFTMAX and max(source.shape[:-1]) == 1:
            readers[0].inputs = np.array([op.inputs[0]], np.int32)
            result = graph.tensors[readers[0].outputs[0]]
            result.shape, result.shapeSignature = source.shape, None
            graph.operators.remove(op)
    drop_unused(model)


def drop_unused(model: schema.ModelT) -> None:
    """Tensors, operator codes and buffers that nothing refers to."""
    graph = model.subgraphs[0]
    used = {int(i) for i in (*graph.inputs, *graph.outputs)}
    used |= {int(i) for op in graph.operators for i in (*op.inputs, *op.outputs) if i >= 0}
    place = {old: new for new, old in enumerate(sorted(used))} | {-1: -1}
    for owner in (graph, *graph.operators):
        owner.inputs = np.array([place[int(i)] for i in owner.inputs], np.int32)
        owner.outputs = np.array([place[int(i)] for i in owner.outputs], np.int32)
    graph.tensors = [graph.tensors[old] for old in sorted(used)]

    codes = sorted({op.opcodeIndex for op in graph.operators})
    model.operatorCodes = [model.operatorCodes[old] for old in codes]
    for op in graph.operators:
        op.opcodeIndex = codes.index(op.opcodeIndex)

    # Buffer 0 is empty by rule; every activation may point at it.
    buffers = [schema.BufferT()]
    for owner in (*graph.tensors, *(model.metadata or ())):
        data = model.buffers[owner.buffer].data
        owner.buffer = 0
        if data is not None and len(data):
            owner.buffer = len(buffers)
            buffers.append(schema.BufferT())
            buffers[-1].data = data
    model.buffers = buffers


def lives(model: schema.ModelT) -> dict[int, Life]:
    """Activations by tensor number: their bytes, and from which operator to which they stay."""
    graph = model.subgraphs[0]
    first = {int(i): 0 for i in graph.inputs}
    last = {int(i): 0 for i in graph.inputs}
    for step, op in enumerate(graph.operators):
        for i in map(int, op.outputs):
            first[i] = last[i] = step
        for i in map(int, op.inputs):
            if i in first:
                last[i] = step
    last |= {int(i): len(graph.operators) - 1 for i in graph.outputs}
    return {i: Life(_bytes(graph.tensors[i]), first[i], last[i]) for i in sorted(first)}


def _bytes(tensor: schema.TensorT) -> int:
    return int(np.prod(tensor.shape)) * np.dtype(DTYPES[tensor.type]).itemsize


def _add_plan(model: schema.ModelT) -> None:
    """Where each activation lies in the arena, see `mobilenet_tf.deployment.tflite.memory_plan`."""
    alive = lives(model)
    offsets = np.full(len(model.subgraphs[0].tensors), _CONSTANT, np.int32)
    offsets[list(alive)] = plan(list(alive.values()))
    head = np.array([_PLAN_VERSION, _SUBGRAPH, len(offsets)], np.int32)
    set_metadata(model, PLAN_NAME, np.concatenate([head, offsets]).astype("<i4").tobytes())


# What is taken out, in this order, and what it is called in tables.
STEPS: tuple[tuple[str, Callable[[schema.ModelT], None]], ...] = (
    ("equal arrays written once", lambda model: None),
    ("names, signature, remarks", _drop_names),
    ("scales of biases", _drop_bias_scales),
    ("RESHAPE before SOFTMAX", _drop_flatten),
    ("memory plan added", _add_plan),
)


def slim(data: bytes, called: str = "The model") -> bytes:
    """The same classifier for a microcontroller: no texts, shared arrays, with a memory plan.

    Raises:
        UserError: it is no `.tflite`, or it is cut short or damaged.
    """
    model = parse_model(data, called)
    for _, step in STEPS:
        step(model)
    return pack_shared(model)


def slimming(data: bytes) -> list[tuple[str, bytes]]:
    """What the file is after each step: ("as converted", data), then a pair for each of STEPS."""
    model, stages = parse_model(data), [("as converted", data)]
    for name, step in STEPS:
        step(model)
        stages.append((name, pack_shared(model)))
    return stages
