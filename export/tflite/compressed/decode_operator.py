"""The DECODE operator in a file: put one before an operator, and read what others have put."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.compressed.codecs import decode
from mobilenet_tf.deployment.tflite.compressed.layout import (
    Damaged,
    Encoded,
    Layout,
    NotEncodable,
)
from mobilenet_tf.deployment.tflite.flatbuffer import add_constant, operator_code
from mobilenet_tf.deployment.tflite.limits import DECODED_BYTES
from mobilenet_tf.deployment.tflite.parse import DTYPES, op_names

DECODE = "TFLM_DECODE"
KERNEL = 1  # place among a convolution's inputs


@dataclass(frozen=True)
class Stored:
    """A constant that DECODE restores.

    Attributes:
        form: Name of the codec.
        bytes: Bytes of its encoded form, with tables.
        values: Its values.
    """

    form: str
    bytes: int
    values: np.ndarray


def layout_of(tensor: schema.TensorT) -> Layout:
    """Return what decoders see of a tensor.

    Raises:
        NotEncodable: They cannot restore it.
    """
    quantization = tensor.quantization
    scales = getattr(quantization, "scale", None)
    zero_points = getattr(quantization, "zeroPoint", None)
    axis = 0 if quantization is None else int(quantization.quantizedDimension)
    if scales is None or not len(scales):
        zero_points, axis = [0], 0
    elif zero_points is None or len(zero_points) != len(scales):
        raise NotEncodable("its numbers of scales and of zero points differ")
    shape = () if tensor.shape is None else tuple(map(int, tensor.shape))
    dtype = DTYPES.get(tensor.type, str(tensor.type))
    return Layout(shape, dtype, axis, tuple(map(int, zero_points)))


def values_of(model: schema.ModelT, tensor: int) -> np.ndarray:
    """Return the values of a constant.

    Raises:
        NotEncodable: It is an activation, or its buffer is not of its size.
    """
    found = layout_of(model.subgraphs[0].tensors[tensor])
    data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
    if data is None or len(data) != found.bytes:
        raise NotEncodable("it is not a constant of its size")
    return np.frombuffer(np.asarray(data, np.uint8).tobytes(), found.stored).reshape(found.shape)


def insert_decode(model: schema.ModelT, op: schema.OperatorT, encoded: Encoded) -> None:
    """Let an operator read its kernel from a DECODE before it; the constant is then unused."""
    graph = model.subgraphs[0]
    kernel = copy.copy(graph.tensors[op.inputs[KERNEL]])
    kernel.buffer = 0
    decoder = schema.OperatorT()
    decoder.opcodeIndex = operator_code(model, DECODE)
    inputs = [_add_bytes(model, content) for content in (encoded.values, encoded.ancillary)]
    decoder.inputs = np.array(inputs, np.int32)
    graph.tensors.append(kernel)
    decoder.outputs = np.array([len(graph.tensors) - 1], np.int32)
    op.inputs = np.array(op.inputs)  # a view of the file cannot be written
    op.inputs[KERNEL] = decoder.outputs[0]
    graph.operators.insert(graph.operators.index(op), decoder)


def _add_bytes(model: schema.ModelT, content: bytes) -> int:
    tensor = schema.TensorT()
    tensor.type, tensor.shape = schema.TensorType.UINT8, np.array([len(content)], np.int32)
    return add_constant(model, tensor, np.frombuffer(content, np.uint8))


def stored_tensors(model: schema.ModelT) -> Iterator[tuple[int, Stored]]:
    """Yield (tensor, how it is stored) for what the DECODE operators of a file restore.

    Tensors that cannot be restored are left out, and so are those beyond `DECODED_BYTES`.
    """
    graph, names, left = model.subgraphs[0], op_names(model), DECODED_BYTES
    for op in graph.operators:
        if names[op.opcodeIndex] != DECODE:
            continue
        for one, other, output in zip(op.inputs[::2], op.inputs[1::2], op.outputs, strict=False):
            encoded, ancillary = _content(model, int(one)), _content(model, int(other))
            try:
                layout = layout_of(graph.tensors[output])
                left -= layout.bytes + encoded.size + ancillary.size
                if left < 0:
                    return
                form, values = decode(encoded.tobytes(), ancillary.tobytes(), layout)
            except (NotEncodable, Damaged):
                continue
            yield int(output), Stored(form, encoded.size + ancillary.size, values)


def _content(model: schema.ModelT, tensor: int) -> np.ndarray:
    data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
    return np.asarray([] if data is None else data, np.uint8)
