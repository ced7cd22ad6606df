"""Remove from a `.tflite` what a microcontroller does not read. Results stay the same.

Every step changes a parsed model in place; `shrink_steps` shows what each of them saves.
Per-channel quantization writes three arrays for each kernel and each bias. The zero points are
all zero, so they become one array that all tensors of a length share. A bias's scale is its
input's times its kernel's, and no runtime reads it from the file.
"""

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared, write_metadata_entry
from mobilenet_tf.deployment.tflite.memory_plan import lifetimes, plan_offsets
from mobilenet_tf.deployment.tflite.parse import op_codes, parse_model

PLAN_NAME = b"OfflineMemoryAllocation"
_PLAN_VERSION, _SUBGRAPH, _CONSTANT = 1, 0, -1
_Op = schema.BuiltinOperator


def _drop_names(model: schema.ModelT) -> None:
    """Remove names of tensors, signatures and the converter's remarks."""
    model.description = model.signatureDefs = model.metadata = model.metadataBuffer = None
    for graph in model.subgraphs:
        graph.name = None
        for tensor in graph.tensors:
            tensor.name = None


def _drop_bias_scales(model: schema.ModelT) -> None:
    """Remove the scales of biases, which follow from those of input and kernel."""
    graph = model.subgraphs[0]
    for op in graph.operators:
        convolution = op_codes(model)[op.opcodeIndex] in (_Op.CONV_2D, _Op.DEPTHWISE_CONV_2D)
        if convolution and len(op.inputs) > 2 and op.inputs[2] >= 0:
            graph.tensors[op.inputs[2]].quantization = None


def _drop_flatten(model: schema.ModelT) -> None:
    """Remove the RESHAPE before a SOFTMAX, which works along the last axis of any shape."""
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
    """Remove tensors, operator codes and buffers to which nothing refers."""
    graph = model.subgraphs[0]
    ends = [end for one in model.signatureDefs or () for end in (*one.inputs, *one.outputs)]
    used = {int(i) for i in (*graph.inputs, *graph.outputs)} | {end.tensorIndex for end in ends}
    used |= {int(i) for op in graph.operators for i in (*op.inputs, *op.outputs) if i >= 0}
    place = {old: new for new, old in enumerate(sorted(used))} | {-1: -1}
    for owner in (graph, *graph.operators):
        owner.inputs = np.array([place[int(i)] for i in owner.inputs], np.int32)
        owner.outputs = np.array([place[int(i)] for i in owner.outputs], np.int32)
    for end in ends:
        end.tensorIndex = place[end.tensorIndex]
    graph.tensors = [graph.tensors[old] for old in sorted(used)]

    codes = sorted({op.opcodeIndex for op in graph.operators})
    model.operatorCodes = [model.operatorCodes[old] for old in codes]
    for op in graph.operators:
        op.opcodeIndex = codes.index(op.opcodeIndex)

    # The schema requires buffer 0 to be empty; every activation may refer to it.
    buffers = [schema.BufferT()]
    for owner in (*graph.tensors, *(model.metadata or ())):
        data = model.buffers[owner.buffer].data
        owner.buffer = 0
        if data is not None and len(data):
            owner.buffer = len(buffers)
            buffers.append(schema.BufferT())
            buffers[-1].data = data
    model.buffers = buffers


def _add_plan(model: schema.ModelT) -> None:
    """Add the offset of each activation in the arena; see `memory_plan`."""
    activations = lifetimes(model)
    offsets = np.full(len(model.subgraphs[0].tensors), _CONSTANT, np.int32)
    offsets[list(activations)] = plan_offsets(list(activations.values()))
    header = np.array([_PLAN_VERSION, _SUBGRAPH, len(offsets)], np.int32)
    write_metadata_entry(
        model, PLAN_NAME, np.concatenate([header, offsets]).astype("<i4").tobytes()
    )


# (title in tables, step), in the order in which `shrink` applies them.
STEPS: tuple[tuple[str, Callable[[schema.ModelT], None]], ...] = (
    ("equal arrays written once", lambda model: None),
    ("names, signature, remarks", _drop_names),
    ("scales of biases", _drop_bias_scales),
    ("RESHAPE before SOFTMAX", _drop_flatten),
    ("memory plan added", _add_plan),
)


def shrink(content: bytes, name: str = "The model") -> bytes:
    """Return the same classifier for a microcontroller: no texts, shared arrays, a memory plan.

    Args:
        content: The file.
        name: What errors call the file.

    Raises:
        UserError: It is not a `.tflite`, or it is cut short or damaged.
    """
    model = parse_model(content, name)
    for _, step in STEPS:
        step(model)
    return pack_shared(model)


def shrink_steps(content: bytes) -> list[tuple[str, bytes]]:
    """Return ("as converted", content), then the title and the file after each of `STEPS`."""
    model, stages = parse_model(content), [("as converted", content)]
    for title, step in STEPS:
        step(model)
        stages.append((title, pack_shared(model)))
    return stages
