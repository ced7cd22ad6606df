"""A classifier whose scores are its input: what a front end fills it with can be read off."""

from collections.abc import Sequence
from math import prod

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.metadata import add_metadata


def echo(input_spec: InputSpec, labels: Sequence[str] = ()) -> bytes:
    """Return a file of one RESHAPE, from uint8 pixels to scores of pixel / 256."""
    shape, classes = [1, *input_spec.shape], prod(input_spec.shape)
    model = schema.ModelT()
    model.version = 3
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model.operatorCodes = [code]
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.array([1, classes], np.int32).view(np.uint8)
    pixels = schema.TensorType.UINT8
    graph = schema.SubGraphT()
    graph.tensors = [
        _tensor("image", shape, pixels, scale=1 / input_spec.std),
        _tensor("shape", [2], schema.TensorType.INT32, buffer=1),
        _tensor("scores", [1, classes], pixels, scale=1 / 256),
    ]
    graph.inputs, graph.outputs = [0], [2]
    reshape = schema.OperatorT()
    reshape.inputs, reshape.outputs = [0, 1], [2]
    reshape.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    reshape.builtinOptions = schema.ReshapeOptionsT()
    reshape.builtinOptions.newShape = [1, classes]
    graph.operators = [reshape]
    model.subgraphs = [graph]
    labels = labels or [f"value {number}" for number in range(classes)]
    return add_metadata(
        pack(model), name="echo", description="echo", labels=labels, input_spec=input_spec
    )


def _tensor(
    name: str, shape: list[int], kind: int, scale: float | None = None, buffer: int = 0
) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), shape, kind, buffer
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor
