"""Read a `.tflite` into the schema's objects and reject files that are cut short or damaged."""

import struct
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError

# What reading a flatbuffer raises if it ends too early or its offsets are wrong.
DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError)
# TensorType -> "int8", "float32" and so on.
DTYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if name[0] != "_"}
# BuiltinOperator -> "CONV_2D" and so on.
OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name[0] != "_"}


def read_file(source: str | Path | bytes) -> tuple[bytes, str]:
    """Return the content of a `.tflite` and the name by which errors refer to it.

    Raises:
        UserError: The file does not exist or cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "The model"
    try:
        return Path(source).read_bytes(), str(source)
    except FileNotFoundError:
        raise UserError(f"{source} does not exist; a .tflite file is needed.") from None
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror or error}.") from error


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
        # This reads every field of every table, so it fails if the file ends too early.
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        _check_references(model)
    except DAMAGE as error:
        raise UserError(
            f"{name} is cut short or damaged after {len(content)} bytes; copy or export it again."
        ) from error
    return model


def _check_references(model: schema.ModelT) -> None:
    """Raise IndexError if the model refers to a tensor, buffer or operator that it lacks."""
    if not model.subgraphs:
        raise IndexError("no subgraph")
    for graph in model.subgraphs:
        graph.operators = graph.operators or []
        used = [graph.inputs, graph.outputs]
        for op in graph.operators:
            op.inputs = () if op.inputs is None else op.inputs
            op.outputs = () if op.outputs is None else op.outputs
            used += [op.inputs, op.outputs]
            model.operatorCodes[op.opcodeIndex]
        if not all(-1 <= index < len(graph.tensors) for indices in used for index in indices):
            raise IndexError("tensor")
        for tensor in graph.tensors:
            model.buffers[tensor.buffer]
    for entry in model.metadata or []:
        model.buffers[entry.buffer]


def op_codes(model: schema.ModelT) -> list[int]:
    """Return the BuiltinOperator of each entry of the model's operator table."""
    # Old files have only the deprecated field.
    return [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]


def read_metadata_entry(content: bytes, name: bytes) -> bytes:
    """Return the content of the metadata buffer with this name; empty if there is none."""
    model = schema.Model.GetRootAs(content, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        if entry.Name() == name:
            buffer = model.Buffers(entry.Buffer())
            return buffer.DataAsNumpy().tobytes() if buffer.DataLength() else b""
    return b""
