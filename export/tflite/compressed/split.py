"""Split a convolution by output channels, so that its decoded kernel needs less memory at a time.

Results stay the same: each part computes its channels, and CONCATENATION puts them together.
"""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.compressed.decode_operator import KERNEL
from mobilenet_tf.deployment.tflite.flatbuffer import add_constant, operator

_BIAS = 2  # place among the inputs
_CHANNEL_AXIS = 3  # of activations
_VERSION = 2  # of CONCATENATION with int8


def split_convolution(
    model: schema.ModelT, op: schema.OperatorT, parts: int
) -> list[schema.OperatorT]:
    """Replace a CONV_2D with constant kernel and bias by parts and a CONCATENATION.

    Args:
        model: The model, which is changed.
        op: The convolution.
        parts: The number of parts, at most that of output channels.

    Returns:
        The parts.
    """
    graph = model.subgraphs[0]
    channels = int(graph.tensors[op.inputs[KERNEL]].shape[0])
    convolutions = []
    for numbers in np.array_split(np.arange(channels), parts):
        part, chosen = copy.copy(op), slice(int(numbers[0]), int(numbers[-1]) + 1)
        inputs = [int(i) for i in op.inputs]
        for place in (KERNEL, _BIAS):
            if len(inputs) > place and inputs[place] >= 0:
                inputs[place] = _slice_of_constant(model, inputs[place], chosen)
        output = copy.copy(graph.tensors[op.outputs[0]])
        output.shape = np.array([*output.shape[:_CHANNEL_AXIS], len(numbers)], np.int32)
        output.shapeSignature = None
        graph.tensors.append(output)
        part.inputs = np.array(inputs, np.int32)
        part.outputs = np.array([len(graph.tensors) - 1], np.int32)
        convolutions.append(part)
    options = schema.ConcatenationOptionsT()
    options.axis = _CHANNEL_AXIS
    outputs = [int(part.outputs[0]) for part in convolutions]
    joining = operator(model, "CONCATENATION", outputs, op.outputs, options, _VERSION)
    place = graph.operators.index(op)
    graph.operators[place : place + 1] = [*convolutions, joining]
    return convolutions


def _slice_of_constant(model: schema.ModelT, number: int, chosen: slice) -> int:
    """Add the part of a constant along its first axis; return the number of the new tensor."""
    tensor = copy.copy(model.subgraphs[0].tensors[number])
    data = np.asarray(model.buffers[tensor.buffer].data).reshape(int(tensor.shape[0]), -1)
    tensor.shape = np.array([chosen.stop - chosen.start, *tensor.shape[1:]], np.int32)
    tensor.quantization = copy.copy(tensor.quantization)
    for field in ("scale", "zeroPoint"):
        values = getattr(tensor.quantization, field, None)
        if values is not None and len(values) > 1:
            setattr(tensor.quantization, field, np.asarray(values)[chosen])
    return add_constant(model, tensor, data[chosen].reshape(-1))
