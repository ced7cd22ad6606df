"""Write a `.tflite` from the schema's objects, and add to them."""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.parse import op_names


class AlignedBuilder(flatbuffers.Builder):
    """Aligns weights to 16 bytes: the schema's force_align, which generated Python code ignores.

    Microcontrollers read int32 biases in place, and some of them fault at an address that is not
    a multiple of four.
    """

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        """Begin a vector; see `flatbuffers.Builder`."""
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


class SharingBuilder(AlignedBuilder):
    """Writes equal arrays once; all tables that have such an array refer to the same copy."""

    def __init__(self, size: int):
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        """Write an array, or return the offset of an equal one; see `flatbuffers.Builder`."""
        key = x.dtype.str, x.tobytes()
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]


def pack(model: schema.ModelT, builder: type[flatbuffers.Builder] = AlignedBuilder) -> bytes:
    """Return the content of the file, without what followed the flatbuffer, such as labels."""
    flat = builder(1 << 20)
    flat.Finish(model.Pack(flat), b"TFL3")
    return bytes(flat.Output())


def pack_shared(model: schema.ModelT) -> bytes:
    """Return the content of the file with equal arrays written once."""
    return pack(model, SharingBuilder)


def operator_code(model: schema.ModelT, name: str, version: int = 1) -> int:
    """Return an operator's place in the model's table, to which it is added if need be.

    Args:
        model: The model.
        name: Name in the schema, such as CONV_2D, or that of a custom operator.
        version: The version to add it with.
    """
    names = op_names(model)
    if name not in names:
        code = schema.OperatorCodeT()
        number = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
        code.builtinCode = code.deprecatedBuiltinCode = number
        if number == schema.BuiltinOperator.CUSTOM:
            code.customCode = name.encode()
        code.version = version
        model.operatorCodes.append(code)
        names.append(name)
    return names.index(name)


def add_constant(model: schema.ModelT, tensor: schema.TensorT, content: np.ndarray) -> int:
    """Add a tensor with this content, uint8, to the model; return its number."""
    buffer = schema.BufferT()
    buffer.data = content
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def write_metadata_entry(model: schema.ModelT, name: bytes, content: bytes) -> None:
    """Add a metadata buffer to the model, or replace the one with this name."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    for entry in model.metadata or []:
        if entry.name == name:
            model.buffers[entry.buffer] = buffer
            return
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.metadata = [*(model.metadata or []), entry]
    model.buffers.append(buffer)


def operator(
    model: schema.ModelT,
    name: str,
    inputs: Sequence[int],
    outputs: Sequence[int],
    options: Any = None,
    version: int = 1,
) -> schema.OperatorT:
    """Return a new operator for the model's graph.

    Args:
        model: Its operator table receives the operator's kind, if need be.
        name: Its name; see `operator_code`.
        inputs: Indices of tensors.
        outputs: Indices of tensors.
        options: The object of the schema, such as `schema.QuantizeOptionsT()`.
        version: The version, if the table has none of that name yet.
    """
    made = schema.OperatorT()
    made.opcodeIndex = operator_code(model, name, version)
    made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        made.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        made.builtinOptions = options
    return made
