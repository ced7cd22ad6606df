"""Read a `.tflite` into the schema's objects and reject files that are cut short or damaged."""

import struct
from math import prod
from pathlib import Path
from types import SimpleNamespace

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import read_bounded
from mobilenet_tf.deployment.tflite.limits import (
    ELEMENTS,
    FILE_BYTES,
    OPERATORS,
    RANK,
    REFERENCES,
    BeyondLimit,
    CountedTable,
    limited,
)

# The generated code makes its tables through this name; outside of `limited` nothing is counted.
schema.flatbuffers = SimpleNamespace(
    **vars(flatbuffers) | {"table": SimpleNamespace(Table=CountedTable)}
)

# What reading a flatbuffer raises if it ends too early or its offsets are wrong.
DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError)
# TensorType -> "int8", "float32" and so on.
DTYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if name[0] != "_"}
# BuiltinOperator -> "CONV_2D" and so on.
OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name[0] != "_"}
# Operators that change the form of a tensor, and not what its values mean.
_FORM_ONLY = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def read_file(source: str | Path | bytes) -> tuple[bytes, str]:
    """Return the content of a `.tflite` and the name by which errors refer to it.

    Raises:
        UserError: The file does not exist, cannot be read, is no regular file, or is too large.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "The model"
    try:
        return read_bounded(Path(source), FILE_BYTES), str(source)
    except FileNotFoundError:
        raise UserError(f"{source} does not exist; a .tflite file is needed.") from None


def parse_model(content: bytes, name: str = "The model") -> schema.ModelT:
    """Unpack a `.tflite` and check its references; weights stay views of `content`.

    Args:
        content: The file.
        name: What errors call the file.

    Raises:
        UserError: It is not a `.tflite`, or it is cut short or damaged.
    """
    if content[4:8] != b"TFL3":
        raise UserError(f"{name} is not a .tflite file: it lacks the mark TFL3 at byte 4.")
    try:
        with limited():
            # This reads every field of every table, so it fails if the file ends too early.
            model = schema.ModelT.InitFromPackedBuf(content, 0)
        _check_references(model)
    except BeyondLimit as error:
        raise UserError(f"{name} {error}; no image classifier needs as many.") from error
    except DAMAGE as error:
        raise UserError(
            f"{name} is cut short or damaged after {len(content)} bytes; copy or export it again."
        ) from error
    return model


def _check_references(model: schema.ModelT) -> None:
    """Raise IndexError if the model refers to a tensor, buffer or operator that it lacks."""
    if not model.subgraphs:
        raise IndexError("no subgraph")
    model.operatorCodes = model.operatorCodes or []
    if sum(len(graph.operators or ()) for graph in model.subgraphs) > OPERATORS:
        raise BeyondLimit(f"has more than {OPERATORS:,} operators")
    references = 0
    for graph in model.subgraphs:
        graph.operators, graph.tensors = graph.operators or [], graph.tensors or []
        for part in (graph, *graph.operators):
            part.inputs, part.outputs = _indices(part.inputs), _indices(part.outputs)
            references += len(part.inputs) + len(part.outputs)
            if references > REFERENCES:
                raise BeyondLimit(f"has more than {REFERENCES:,} references to tensors")
            # An operator may leave an input out: -1.
            least = 0 if part is graph else -1
            for indices in (part.inputs, part.outputs):
                if len(indices) and not least <= indices.min() <= indices.max() < len(
                    graph.tensors
                ):
                    raise IndexError("tensor")
        for op in graph.operators:
            model.operatorCodes[op.opcodeIndex]
        for tensor in graph.tensors:
            model.buffers[tensor.buffer]
            _check_shape(tensor)
    for entry in model.metadata or []:
        model.buffers[entry.buffer]


def _indices(values: np.ndarray | None) -> np.ndarray:
    return np.zeros(0, np.int32) if values is None else np.asarray(values)


def _check_shape(tensor: schema.TensorT) -> None:
    for shape in (tensor.shape, tensor.shapeSignature):
        if shape is None:
            continue
        if len(shape) > RANK:
            raise BeyondLimit(f"has a tensor of more than {RANK} axes")
        # A side of -1 is not fixed.
        if prod(max(1, int(side)) for side in shape) > ELEMENTS:
            raise BeyondLimit(f"has a tensor of more than {ELEMENTS:,} elements")


def op_codes(model: schema.ModelT) -> list[int]:
    """Return the BuiltinOperator of each entry of the model's operator table."""
    # Old files have only the deprecated field.
    return [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]


def op_names(model: schema.ModelT) -> list[str]:
    """Return the name of each entry of the operator table, such as CONV_2D; a custom one's own."""
    custom = schema.BuiltinOperator.CUSTOM
    return [
        (entry.customCode or b"CUSTOM").decode("utf-8", "replace")
        if number == custom
        else OP_NAMES.get(number, f"OPERATOR_{number}")
        for number, entry in zip(op_codes(model), model.operatorCodes, strict=True)
    ]


def read_metadata_entry(content: bytes, name: bytes) -> bytes:
    """Return the content of the metadata buffer with this name; empty if there is none."""
    model = schema.Model.GetRootAs(content, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == name:
            buffer = model.Buffers(entry.Buffer())
            return buffer.DataAsNumpy().tobytes() if buffer.DataLength() else b""
    return b""


def computed_by(model: schema.ModelT, index: int) -> str | None:
    """Return the operator that computes a tensor of the main graph, such as SOFTMAX.

    Operators that change only type or shape are looked through. None if there is no other.
    """
    codes, graph = op_codes(model), model.subgraphs[0]
    makers = {int(output): op for op in graph.operators for output in op.outputs}
    for _ in graph.operators:
        op = makers.get(index)
        if op is None:
            return None
        name = OP_NAMES.get(codes[op.opcodeIndex])
        if name not in _FORM_ONLY or not len(op.inputs):
            return name
        index = int(op.inputs[0])
    return None
