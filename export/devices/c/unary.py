"""Functions of one int8 value, as tables of 256 that TensorFlow Lite Micro itself computes."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.devices.c.program import Operator, Tensor
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.tflite.flatbuffer import pack

_VALUES = 256


def table_of(op: Operator) -> np.ndarray:
    """Return the output of an operator for each input from -128 to 127, as int8.

    Raises:
        UserError: tflite-micro is not installed, or it refuses the operator.
    """
    inputs = np.arange(-128, 128).astype(np.int8).reshape(1, 1, 1, _VALUES)
    return MicroModel(_file_of(op)).run(inputs)[0]


def _file_of(op: Operator) -> bytes:
    """Return a file with only this operator, on a tensor of 256 values."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    model.operatorCodes = [op.code]
    call = schema.OperatorT()
    call.opcodeIndex = 0
    call.builtinOptions = op.options
    if op.options is not None:
        name = type(op.options).__name__.removesuffix("T")
        call.builtinOptionsType = getattr(schema.BuiltinOptions, name)
    graph.tensors = [_activation(op.input(0)), _activation(op.output)]
    graph.inputs = call.inputs = np.array([0], np.int32)
    graph.outputs = call.outputs = np.array([1], np.int32)
    graph.operators = [call]
    return pack(model)


def _activation(tensor: Tensor) -> schema.TensorT:
    made = schema.TensorT()
    made.shape, made.type = np.array([1, 1, 1, _VALUES], np.int32), schema.TensorType.INT8
    made.buffer, made.hasRank = 0, True
    made.quantization = schema.QuantizationParametersT()
    made.quantization.scale, made.quantization.zeroPoint = tensor.scales, tensor.zero_points
    return made
