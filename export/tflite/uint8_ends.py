"""Give an int8 `.tflite` uint8 input and output, as runtimes without int8 tensors need."""

from copy import copy, deepcopy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.archive import append_zip, read_all
from mobilenet_tf.deployment.tflite.flatbuffer import operator, pack
from mobilenet_tf.deployment.tflite.parse import parse_model

_SHIFT = 128  # between int8 and uint8


def with_uint8_ends(content: bytes) -> bytes:
    """Return the same model whose int8 inputs and outputs are uint8.

    A QUANTIZE at each end adds or subtracts 128, which is exact. Metadata, labels and signatures
    stay. A file without int8 inputs and outputs is returned unchanged.

    Args:
        content: A valid `.tflite` (see `parse_model`) with one graph.
    """
    model = parse_model(content)
    graph = model.subgraphs[0]
    int8 = {
        int(index)
        for index in (*graph.inputs, *graph.outputs)
        if graph.tensors[index].type == schema.TensorType.INT8
    }
    if not int8:
        return content
    graph.inputs, graph.outputs = np.array(graph.inputs), np.array(graph.outputs)  # not views
    for indices, into in ((graph.inputs, True), (graph.outputs, False)):
        for place, index in enumerate(map(int, indices)):
            if index not in int8:
                continue
            indices[place] = len(graph.tensors)
            graph.tensors.append(_as_uint8(graph.tensors[index]))
            source, result = (indices[place], index) if into else (index, indices[place])
            converts = operator(model, "QUANTIZE", [source], [result], schema.QuantizeOptionsT())
            graph.operators.insert(0 if into else len(graph.operators), converts)
            _rename(model, index, int(indices[place]), into)
    files = read_all(content)
    return append_zip(pack(model), files) if files else pack(model)


def _as_uint8(tensor: schema.TensorT) -> schema.TensorT:
    """The same tensor in uint8, with the same real values."""
    other = copy(tensor)
    other.type, other.name = schema.TensorType.UINT8, (tensor.name or b"") + b"_uint8"
    other.quantization = deepcopy(tensor.quantization)
    if other.quantization is not None and other.quantization.zeroPoint is not None:
        other.quantization.zeroPoint = np.asarray(other.quantization.zeroPoint) + _SHIFT
    return other


def _rename(model: schema.ModelT, old: int, new: int, into: bool) -> None:
    """Let signatures refer to the new input or output."""
    for signature in model.signatureDefs or ():
        for entry in (signature.inputs if into else signature.outputs) or ():
            if entry.tensorIndex == old:
                entry.tensorIndex = new
