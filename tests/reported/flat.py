"""Small .tflite files made by hand, as no converter makes them."""

import struct

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES, OPS = schema.TensorType, schema.BuiltinOperator


class Flat:
    """A model with one graph, to which tensors and operators are added."""

    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.operatorCodes = 3, []
        self.model.buffers, self.model.subgraphs = [schema.BufferT()], [self.graph]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, shape, dtype, values=None, scale=None, name="t") -> int:
        """Add a tensor; return its number."""
        made, buffer = schema.TensorT(), schema.BufferT()
        if values is not None:
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        made.name, made.shape, made.type = name.encode(), np.array(shape, np.int32), dtype
        made.buffer = len(self.model.buffers) - 1
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array([scale], np.float32)
            made.quantization.zeroPoint = np.array([0], np.int64)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def operator(self, code, inputs, output, options="") -> None:
        """Add an operator; `options` names the table of its options."""
        made, entry = schema.OperatorT(), schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        self.model.operatorCodes.append(entry)
        made.opcodeIndex = len(self.model.operatorCodes) - 1
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options:
            made.builtinOptions = getattr(schema, f"{options}T")()
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        self.graph.operators.append(made)

    def content(self, picture: int, scores: int) -> bytes:
        """The file with this input and output."""
        self.graph.inputs, self.graph.outputs = (
            np.array([one], np.int32) for one in (picture, scores)
        )
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def mean_over_axes(shape=(1, 28, 28, 3)) -> bytes:
    """uint8 picture -> mean over height and width."""
    flat = Flat()
    picture = flat.tensor(shape, TYPES.UINT8, scale=1 / 255)
    axes = flat.tensor((2,), TYPES.INT32, np.array([1, 2], np.int32))
    scores = flat.tensor((1, shape[3]), TYPES.UINT8, scale=1 / 255)
    flat.operator(OPS.MEAN, [picture, axes], scores, "ReducerOptions")
    return flat.content(picture, scores)


def dense(side: int = 32, value: float | None = None) -> bytes:
    """Float picture -> four scores, by a kernel in half precision, of one value if it is given."""
    flat, count = Flat(), 3 * side * side
    values = np.random.default_rng(0).normal(size=(4, count))
    if value is not None:
        values[:] = value
    picture = flat.tensor((1, side, side, 3), TYPES.FLOAT32)
    half = flat.tensor((4, count), TYPES.FLOAT16, values.astype(np.float16))
    kernel = flat.tensor((4, count), TYPES.FLOAT32)
    scores = flat.tensor((1, 4), TYPES.FLOAT32)
    flat.operator(OPS.DEQUANTIZE, [half], kernel)
    flat.operator(OPS.FULLY_CONNECTED, [picture, kernel, -1], scores, "FullyConnectedOptions")
    return flat.content(picture, scores)


def uint8_weights(zero: int = 128) -> bytes:
    """uint8 picture -> four scores, by weights as the first converters wrote them."""
    flat = Flat()
    picture = flat.tensor((1, 8, 8, 3), TYPES.UINT8, scale=1 / 255)
    values = np.linspace(0, 255, 4 * 192).astype(np.uint8)
    kernel = flat.tensor((4, 192), TYPES.UINT8, values, scale=0.01)
    flat.graph.tensors[kernel].quantization.zeroPoint = np.array([zero], np.int64)
    bias = flat.tensor((4,), TYPES.INT32, np.zeros(4, np.int32), scale=0.01 / 255)
    scores = flat.tensor((1, 4), TYPES.UINT8, scale=1.0)
    flat.operator(OPS.FULLY_CONNECTED, [picture, kernel, bias], scores, "FullyConnectedOptions")
    return flat.content(picture, scores)


def crash() -> bytes:
    """QUANTIZE of an int8 picture into float: LiteRT divides by a scale that is not there."""
    flat = Flat()
    picture = flat.tensor((1, 32, 32, 3), TYPES.INT8, scale=0.0)
    scores = flat.tensor((1, 4), TYPES.FLOAT32)
    flat.operator(OPS.QUANTIZE, [picture], scores, "QuantizeOptions")
    return flat.content(picture, scores)


def shared_graphs() -> bytes:
    """A vector of 30,000 graphs, all of which are the same one, of 200 tensors."""
    flat = Flat()
    for _ in range(200):
        flat.tensor((1,), TYPES.UINT8)
    flat.model.subgraphs *= 3
    content = bytearray(flat.content(0, 0))
    table = schema.Model.GetRootAs(bytes(content), 0)._tab
    field = table.Pos + table.Offset(8)
    graph = table.Indirect(table.Vector(table.Offset(8)))
    count, base = 30_000, (len(content) + 3) & ~3
    content += bytes(base - len(content))
    struct.pack_into("<I", content, field, base - field)
    # Offsets are unsigned: the graph must follow the vector, so a copy of the file does.
    end = base + 4 + 4 * count
    entries = [end + graph - (base + 4 + 4 * i) for i in range(count)]
    return bytes(content[:base]) + struct.pack(f"<{count + 1}I", count, *entries) + content[:base]
