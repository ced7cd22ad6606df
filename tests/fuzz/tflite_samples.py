"""Small valid `.tflite` files, made without TensorFlow, which the fuzz damages."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.zoo import make_network

LABELS = ("red", "green", "blue", "none")
TYPES, OPS = schema.TensorType, schema.BuiltinOperator


def described(content: bytes, channels: int = 3, side: int = 32) -> bytes:
    """The same model with metadata and labels."""
    return add_metadata(
        content, name="n", description="d", labels=LABELS, input_spec=InputSpec(side, channels)
    )


def tensor(model, name, shape, dtype, *, values=None, scale=None):
    """Append a tensor; return its number."""
    made, buffer = schema.TensorT(), schema.BufferT()
    if values is not None:
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    model.buffers.append(buffer)
    made.name, made.shape, made.type = name.encode(), np.array(shape, np.int32), dtype
    made.buffer = len(model.buffers) - 1
    if scale is not None:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = np.array([scale], np.float32)
        made.quantization.zeroPoint = np.array([0], np.int64)
    model.subgraphs[0].tensors.append(made)
    return len(model.subgraphs[0].tensors) - 1


def operator(model, code, inputs, outputs, options=None, kind=0):
    """Append an operator with a code of its own."""
    made, entry = schema.OperatorT(), schema.OperatorCodeT()
    entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
    model.operatorCodes.append(entry)
    made.opcodeIndex = len(model.operatorCodes) - 1
    made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    made.builtinOptions, made.builtinOptionsType = options, kind
    model.subgraphs[0].operators.append(made)


def empty():
    """A model with one graph and nothing in it."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.operatorCodes, model.buffers = 3, [], [schema.BufferT()]
    graph.tensors, graph.operators = [], []
    model.subgraphs = [graph]
    return model


def finished(model, picture, scores):
    """The bytes of a model with these inputs and outputs."""
    graph = model.subgraphs[0]
    graph.inputs, graph.outputs = np.array([picture], np.int32), np.array([scores], np.int32)
    return pack(model)


def mean_over_axes(shape=(1, 28, 28, 3)):
    """uint8 picture -> mean over height and width."""
    model = empty()
    picture = tensor(model, "picture", shape, TYPES.UINT8, scale=1 / 255)
    axes = tensor(model, "axes", (2,), TYPES.INT32, values=np.array([1, 2], np.int32))
    scores = tensor(model, "scores", (1, shape[3]), TYPES.UINT8, scale=1 / 255)
    operator(model, OPS.MEAN, [picture, axes], [scores], schema.ReducerOptionsT(),
             schema.BuiltinOptions.ReducerOptions)  # fmt: skip
    return finished(model, picture, scores)


def half_precision():
    """A float classifier whose kernel is float16, with DEQUANTIZE before it is used."""
    model, random = empty(), np.random.default_rng(0)
    picture = tensor(model, "picture", (1, 8, 8, 3), TYPES.FLOAT32)
    half = tensor(model, "half", (4, 192), TYPES.FLOAT16,
                  values=random.normal(size=(4, 192)).astype(np.float16))  # fmt: skip
    kernel = tensor(model, "kernel", (4, 192), TYPES.FLOAT32)
    scores = tensor(model, "scores", (1, 4), TYPES.FLOAT32)
    operator(model, OPS.DEQUANTIZE, [half], [kernel])
    options = schema.FullyConnectedOptionsT()
    operator(model, OPS.FULLY_CONNECTED, [picture, kernel, -1], [scores], options,
             schema.BuiltinOptions.FullyConnectedOptions)  # fmt: skip
    return described(finished(model, picture, scores), side=8)


def scale_of_zero():
    """QUANTIZE of a uint8 picture into float: LiteRT divides by what is not there and crashes."""
    model = empty()
    picture = tensor(model, "picture", (1, 32, 32, 3), TYPES.UINT8, scale=0.0)
    # As INT8, the scale 0 becomes a sentence before LiteRT sees the file.
    model.subgraphs[0].tensors[picture].type = TYPES.INT8
    scores = tensor(model, "scores", (1, 4), TYPES.FLOAT32)
    operator(model, OPS.QUANTIZE, [picture], [scores], schema.QuantizeOptionsT(),
             schema.BuiltinOptions.QuantizeOptions)  # fmt: skip
    return finished(model, picture, scores)


def valid() -> dict[str, bytes]:
    """Return name -> content of the files that the fuzz starts from."""
    return {
        "v1": described(int8_file(make_network("v1", 0.25, 32, 4))),
        "v3": described(int8_file(make_network("v3_small", 0.35, 32, 4))),
        "half": half_precision(),
        "mean": mean_over_axes(),
    }
