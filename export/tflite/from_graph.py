"""A network's int8 file straight from its rows: random weights, real sizes. Needs no TensorFlow.

Bytes, arena, NPU cycles and speed do not depend on what a network has learned, so hundreds of
configurations can be measured in a minute where training or converting them would take days.
tests/export/test_synthetic.py holds these files against converted ones.

A network is a chain of parts: the stem, one part per row of the table, the head. Parts can be
written as files of their own, to be measured one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.memory_plan import lower_bound
from mobilenet_tf.deployment.tflite.shrink import lives, pack_shared
from mobilenet_tf.networks.rows import Block, squeeze_width
from mobilenet_tf.networks.spec import ModelSpec

_Op, _Act, _Options = schema.BuiltinOperator, schema.ActivationFunctionType, schema.BuiltinOptions
# Operator -> version, as the converter writes them for int8.
_VERSIONS = {
    _Op.CONV_2D: 3,
    _Op.DEPTHWISE_CONV_2D: 3,
    _Op.ADD: 2,
    _Op.MUL: 2,
    _Op.MEAN: 2,
    _Op.SOFTMAX: 2,
    _Op.RESHAPE: 1,
    _Op.HARD_SWISH: 1,
}
_FUSED = {None: _Act.NONE, "relu": _Act.RELU, "relu6": _Act.RELU6, "hard_swish": _Act.NONE}
_SCALE, _ZERO = 0.05, -20
_SPREAD = 42  # standard deviation of the integers in a kernel
_NAMES = 70  # bytes that a tensor's name takes on average in a converted file
SIZE_STEP = 32


@dataclass(frozen=True)
class Part:
    """A piece of a network with one tensor in and one out.

    Attributes:
        kind: `stem`, `block` or `head`; `least` is one small operator, to measure a call.
        side, channels: of its input.
        row: of a block.
        widths: of the stem: (out,); of the head: features, hidden and classes, where there are.
        activation: of stem and head.
        residual: see `Network`.
    """

    kind: str
    side: int
    channels: int
    row: Block | None = None
    widths: tuple[int | None, ...] = ()
    activation: str | None = None
    residual: bool = False


def parts(spec: ModelSpec) -> tuple[Part, ...]:
    """The chain that a specification is.

    Raises:
        UserError: a size that is no multiple of 32, where paddings differ between networks.
    """
    if spec.size % SIZE_STEP:
        raise UserError(f"size is {spec.size}; it must be a multiple of {SIZE_STEP} here.")
    network = spec.network
    side, channels = spec.size, spec.channels
    chain = [Part("stem", side, channels, None, (network.stem,), network.activation)]
    side, channels = side // 2, network.stem
    for row in network.blocks:
        chain.append(Part("block", side, channels, row, residual=network.residual))
        side, channels = -(-side // row.stride), row.out
    widths = (network.features, network.hidden, spec.classes)
    return (*chain, Part("head", side, channels, None, widths, network.activation))


def synthetic(spec: ModelSpec, fused: bool = True) -> bytes:
    """The file of a whole network, int8 in and out, without metadata.

    Args:
        fused: hard-swish as one operator, or as x * relu6(x + 3).
    """
    return chain_file(parts(spec), fused)


def phone_file(spec: ModelSpec) -> dict[str, int]:
    """The file that the converter writes for phones: with names, nothing shared.

    Returns:
        bytes; ram: bytes of the activations that are in memory at the worst step.
    """
    model = _model(parts(spec), fused=False)
    size = len(pack(model)) + _NAMES * len(model.subgraphs[0].tensors)
    return {"bytes": size, "ram": lower_bound(lives(model).values())}


def chain_file(chain: Iterable[Part], fused: bool = True) -> bytes:
    """Parts, each on what the one before gives, as one file."""
    return pack_shared(_model(tuple(chain), fused))


def _model(chain: tuple[Part, ...], fused: bool) -> schema.ModelT:
    writer = _Writer(chain[0].side, chain[0].channels, fused)
    for part in chain:
        getattr(writer, part.kind)(part)
    return writer.finish()


class _Writer:
    """Appends operators to a model; `self.here` is the latest tensor."""

    def __init__(self, side: int, channels: int, fused: bool):
        self.fused = fused
        self.random = np.random.default_rng(0)
        self.model = schema.ModelT()
        self.model.version, self.model.operatorCodes = 3, []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        self.here = self.activation(side, side, channels)
        self.graph.inputs = np.array([self.here], np.int32)
        self.axes = self.three = None  # constants that all operators share

    def tensor(self, shape, dtype, data=None, scale=None, zero=0, axis=0) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.hasRank = np.array(shape, np.int32), dtype, True
        tensor.buffer = 0
        if data is not None:
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(schema.BufferT())
            self.model.buffers[-1].data = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(np.asarray(scale, np.float32))
            count = len(tensor.quantization.scale)
            tensor.quantization.zeroPoint = np.full(count, zero, np.int64)
            tensor.quantization.quantizedDimension = axis
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def activation(self, *shape: int, scale: float = _SCALE, zero: int = _ZERO) -> int:
        return self.tensor((1, *shape), schema.TensorType.INT8, scale=scale, zero=zero)

    def shape(self, tensor: int | None = None) -> tuple[int, ...]:
        at = self.here if tensor is None else tensor
        return tuple(map(int, self.graph.tensors[at].shape[1:]))

    def operator(self, code: int, inputs: list[int], output: int, options=None) -> None:
        known = [entry.builtinCode for entry in self.model.operatorCodes]
        if code not in known:
            entry = schema.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = _VERSIONS[code]
            self.model.operatorCodes.append(entry)
            known.append(code)
        op = schema.OperatorT()
        op.opcodeIndex = known.index(code)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            op.builtinOptionsType, op.builtinOptions = getattr(_Options, name), options
        self.graph.operators.append(op)
        self.here = output

    def convolution(self, out: int, kernel: int, stride: int, activation, depthwise=False) -> None:
        height, width, channels = self.shape()
        shape = (1, kernel, kernel, out) if depthwise else (out, kernel, kernel, channels)
        axis = 3 if depthwise else 0
        values = self.random.normal(0, _SPREAD, shape).round().clip(-127, 127).astype(np.int8)
        # Scales and biases differ from channel to channel, as learned ones do.
        spread = self.random.uniform(0.5, 1.5, (2, out))
        # Whatever comes in, as much goes out, although ReLU takes half: no layer saturates.
        taken = kernel**2 * (1 if depthwise else channels)
        scale = spread[0] / _SPREAD * np.sqrt(2 / taken)
        kernel_at = self.tensor(shape, schema.TensorType.INT8, values, scale, axis=axis)
        bias = (1000 * (spread[1] - 1)).astype(np.int32)
        bias_at = self.tensor((out,), schema.TensorType.INT32, bias, _SCALE * scale)
        code = _Op.DEPTHWISE_CONV_2D if depthwise else _Op.CONV_2D
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME
        options.strideH = options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = 1
        if depthwise:
            options.depthMultiplier = 1
        options.fusedActivationFunction = _FUSED[activation]
        output = self.activation(-(-height // stride), -(-width // stride), out)
        self.operator(code, [self.here, kernel_at, bias_at], output, options)
        if activation == "hard_swish":
            self.hard_swish()

    def hard_swish(self) -> None:
        value = self.here
        if self.fused:
            output = self.activation(*self.shape())
            return self.operator(_Op.HARD_SWISH, [value], output, schema.HardSwishOptionsT())
        if self.three is None:
            self.three = self.tensor((), schema.TensorType.INT8, np.int8([127]), 3 / 127)
        options = schema.AddOptionsT()
        options.fusedActivationFunction = _Act.RELU6
        self.operator(_Op.ADD, [value, self.three], self.activation(*self.shape()), options)
        return self.multiply(value, self.here)

    def multiply(self, first: int, second: int) -> None:
        output = self.activation(*self.shape(first))
        self.operator(_Op.MUL, [first, second], output, schema.MulOptionsT())

    def pool(self) -> None:
        if self.shape()[:2] == (1, 1):
            return  # the converter leaves it out
        if self.axes is None:
            self.axes = self.tensor((2,), schema.TensorType.INT32, np.int32([1, 2]))
        options = schema.ReducerOptionsT()
        options.keepDims = True
        output = self.activation(1, 1, self.shape()[2])
        self.operator(_Op.MEAN, [self.here, self.axes], output, options)

    def least(self, part: Part) -> None:
        self.pool()

    def stem(self, part: Part) -> None:
        self.convolution(part.widths[0], 3, 2, part.activation)

    def block(self, part: Part) -> None:
        row, start = part.row, self.here
        if part.residual and row.expansion != part.channels:
            self.convolution(row.expansion, 1, 1, row.activation)
        self.convolution(row.expansion, row.kernel, row.stride, row.activation, depthwise=True)
        if row.se:
            full = self.here
            self.pool()
            self.convolution(squeeze_width(row.expansion), 1, 1, "relu")
            self.convolution(row.expansion, 1, 1, "relu6")
            self.multiply(full, self.here)
        self.convolution(row.out, 1, 1, None if part.residual else row.activation)
        if part.residual and row.stride == 1 and row.out == part.channels:
            output = self.activation(*self.shape())
            self.operator(_Op.ADD, [start, self.here], output, schema.AddOptionsT())

    def head(self, part: Part) -> None:
        features, hidden, classes = part.widths
        if features:
            self.convolution(features, 1, 1, part.activation)
        self.pool()
        if hidden:
            self.convolution(hidden, 1, 1, part.activation)
        self.convolution(classes, 1, 1, None)
        shape = self.tensor((2,), schema.TensorType.INT32, np.int32([-1, classes]))
        flat = self.activation(classes)
        self.operator(_Op.RESHAPE, [self.here, shape], flat, schema.ReshapeOptionsT())
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        scores = self.activation(classes, scale=1 / 256, zero=-128)
        self.operator(_Op.SOFTMAX, [flat], scores, options)

    def finish(self) -> schema.ModelT:
        self.graph.outputs = np.array([self.here], np.int32)
        return self.model
