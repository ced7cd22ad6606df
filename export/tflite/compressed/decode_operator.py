"""The DECODE operator in a file: put one before an operator, and read what others have put."""

import copy
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.compressed.codecs import C_CODECS, codec_name, decode
from mobilenet_tf.deployment.tflite.compressed.layout import (
    Damaged,
    Encoded,
    Layout,
    NotEncodable,
)
from mobilenet_tf.deployment.tflite.flatbuffer import add_constant, operator
from mobilenet_tf.deployment.tflite.kernels import INT4, PLAIN, Stored
from mobilenet_tf.deployment.tflite.limits import DECODED_BYTES
from mobilenet_tf.deployment.tflite.parse import DTYPES, op_names, parse_model

DECODE = "TFLM_DECODE"
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_INT4 = schema.TensorType.INT4
KERNEL = 1  # place among a convolution's inputs


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


def kernels_of(
    model: schema.ModelT,
) -> Iterator[tuple[int, schema.OperatorT, np.ndarray, Layout]]:
    """Yield the convolutions whose kernels can be encoded, from input to output.

    Yields:
        Place among the operators, operator, values and layout of its kernel.
    """
    graph, names = model.subgraphs[0], op_names(model)
    for step, op in enumerate(graph.operators):
        if names[op.opcodeIndex] not in CONVOLUTIONS:
            continue
        try:
            values = values_of(model, op.inputs[KERNEL])
            layout = layout_of(graph.tensors[op.inputs[KERNEL]])
        except NotEncodable:
            continue
        yield step, op, values, layout


def reader_counts(model: schema.ModelT) -> np.ndarray:
    """Return how many inputs of operators each tensor is, up to the last one that is read."""
    operators = model.subgraphs[0].operators
    return np.bincount(np.concatenate([op.inputs[op.inputs >= 0] for op in operators]))


def insert_decode(model: schema.ModelT, op: schema.OperatorT, encoded: Encoded) -> None:
    """Let an operator read its kernel from a DECODE before it; the constant is then unused."""
    graph = model.subgraphs[0]
    kernel = copy.copy(graph.tensors[op.inputs[KERNEL]])
    kernel.buffer = 0
    inputs = [_add_bytes(model, content) for content in (encoded.values, encoded.ancillary)]
    decoder = operator(model, DECODE, inputs, [len(graph.tensors)])
    graph.tensors.append(kernel)
    op.inputs = np.array(op.inputs)  # a view of the file cannot be written
    op.inputs[KERNEL] = decoder.outputs[0]
    graph.operators.insert(graph.operators.index(op), decoder)


def _add_bytes(model: schema.ModelT, content: bytes) -> int:
    tensor = schema.TensorT()
    tensor.type, tensor.shape = schema.TensorType.UINT8, np.array([len(content)], np.int32)
    return add_constant(model, tensor, np.frombuffer(content, np.uint8))


def stored_tensors(
    model: schema.ModelT, most: float = DECODED_BYTES
) -> Iterator[tuple[int, Stored]]:
    """Yield (tensor, how it is stored) for what the DECODE operators of a file restore.

    Tensors that cannot be restored are left out, and so are those beyond `most` bytes.
    """
    left = most
    for output, encoded, ancillary in _decoded(model):
        try:
            layout = layout_of(model.subgraphs[0].tensors[output])
            left -= layout.bytes + encoded.size + ancillary.size
            if left < 0:
                return
            form = codec_name(ancillary.tobytes())
            values = decode(encoded.tobytes(), ancillary.tobytes(), layout)
        except (NotEncodable, Damaged):
            continue
        yield output, Stored(form, encoded.size + ancillary.size, values)


def _decoded(model: schema.ModelT) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield each tensor that a DECODE restores, with encoded values and ancillary data as uint8."""
    names = op_names(model)
    for op in model.subgraphs[0].operators:
        if names[op.opcodeIndex] == DECODE:
            for one, other, output in zip(
                op.inputs[::2], op.inputs[1::2], op.outputs, strict=False
            ):
                yield int(output), _content(model, int(one)), _content(model, int(other))


def _content(model: schema.ModelT, tensor: int) -> np.ndarray:
    data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
    return np.asarray([] if data is None else data, np.uint8)


def decoding_cost(content: bytes, *, in_c: bool = False) -> dict[str, dict[str, int]]:
    """Return what the DECODE operators of this project's files take per inference.

    Args:
        content: The file.
        in_c: Whether this project's C decodes them, or TensorFlow Lite Micro.

    Returns:
        Form -> `weights` that are restored from it, and the `instructions` for them; see
        `Instructions`.
    """
    model = parse_model(content)
    cost: dict[str, Counter[str]] = defaultdict(Counter)
    for output, _, ancillary in _decoded(model):
        layout, data = layout_of(model.subgraphs[0].tensors[output]), ancillary.tobytes()
        name, count = codec_name(data), layout.elements
        known = C_CODECS[name].instructions(data, layout)
        each = known.c if in_c else known.rank
        cost[name] += Counter(weights=count, instructions=count * each)
    return {name: dict(one) for name, one in sorted(cost.items())}


def kernel_forms(content: bytes) -> dict[str, int]:
    """Return form -> number of kernels of convolutions that a file stores so; see `Stored`."""
    model = parse_model(content)
    names = op_names(model)
    forms = {output: codec_name(ancillary.tobytes()) for output, _, ancillary in _decoded(model)}
    types = [tensor.type for tensor in model.subgraphs[0].tensors]
    count = Counter(
        forms.get(int(op.inputs[KERNEL]), INT4 if types[op.inputs[KERNEL]] == _INT4 else PLAIN)
        for op in model.subgraphs[0].operators
        if names[op.opcodeIndex] in CONVOLUTIONS
    )
    return dict(sorted(count.items()))
