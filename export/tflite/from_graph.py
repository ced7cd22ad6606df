"""The int8 file of a network straight from its graph: random weights, real sizes, no TensorFlow.

Bytes, arena, NPU cycles and speed do not depend on what a network has learned, so hundreds of
configurations can be measured in the minutes that converting a few would take.
tests/export/tflite/test_from_graph.py compares these files with converted ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.flatbuffer import pack, pack_shared
from mobilenet_tf.deployment.tflite.memory_plan import lifetimes, lower_bound
from mobilenet_tf.networks.graph import OWN_OPERATORS, UNPADDED, Graph, Op, same_padding
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network

_Op, _Act, _Options = schema.BuiltinOperator, schema.ActivationFunctionType, schema.BuiltinOptions
# Operator -> version, as the converter writes them for int8.
_VERSIONS = {
    _Op.CONV_2D: 3,
    _Op.DEPTHWISE_CONV_2D: 3,
    _Op.ADD: 2,
    _Op.MUL: 2,
    _Op.MEAN: 2,
    _Op.PAD: 2,
    _Op.SOFTMAX: 2,
    _Op.RESHAPE: 1,
    _Op.HARD_SWISH: 1,
    _Op.LOGISTIC: 2,
    _Op.MAX_POOL_2D: 2,
    _Op.CONCATENATION: 2,
    _Op.RESIZE_BILINEAR: 3,
}
# Hard-sigmoid is relu6 of what its convolution's bias has shifted; see the deploy form.
_FUSED = {
    None: _Act.NONE,
    "relu": _Act.RELU,
    "relu6": _Act.RELU6,
    "hard_sigmoid": _Act.RELU6,
    "hard_swish": _Act.NONE,
    "sigmoid": _Act.NONE,
}
_SCALE, _ZERO = 0.05, -20
_SPREAD = 42  # standard deviation of the integers in a kernel
_NAMES = 70  # mean number of bytes of a tensor's name in a converted file


def int8_file(network: Network, fuse_hard_swish: bool = True) -> bytes:
    """Return the int8 file of a network, int8 in and out, without metadata.

    Args:
        network: The network.
        fuse_hard_swish: Whether hard-swish is one operator, or x * relu6(x + 3).
    """
    return graph_file(lower(network), fuse_hard_swish)


def graph_file(graph: Graph, fuse_hard_swish: bool = True) -> bytes:
    """Return the int8 file of a graph, which may be a part of a network."""
    return pack_shared(_Writer(graph, fuse_hard_swish).model)


def phone_file_size(network: Network) -> tuple[int, int]:
    """Return the size of the file that the converter writes for phones, with tensor names.

    Returns:
        (bytes of the file, bytes of the activations in memory at the worst step).
    """
    model = _Writer(lower(network), fuse_hard_swish=False).model
    size = len(pack(model)) + _NAMES * len(model.subgraphs[0].tensors)
    return size, lower_bound(lifetimes(model).values())


class _Writer:
    """Writes a graph into a new model: one method per kind of operation returns its tensor."""

    def __init__(self, graph: Graph, fuse_hard_swish: bool):
        self.fuse_hard_swish = fuse_hard_swish
        self.random = np.random.default_rng(0)
        self.model = schema.ModelT()
        self.model.version, self.model.operatorCodes = 3, []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        # Constants that all operators share.
        self.axes: int | None = None
        self.three: int | None = None
        made: dict[str, int] = {}
        for op in graph:
            write = getattr(self, f"_{op.kind}", None)
            if write is None:
                raise UserError(f"{op.name} is a {op.kind}, which has no int8 form here.")
            made[op.name] = write(op, *(made[name] for name in op.inputs))
        self.graph.inputs = np.array([made[graph.input.name]], np.int32)
        self.graph.outputs = np.array([made[op.name] for op in graph.outputs], np.int32)

    def _input(self, op: Op) -> int:
        return self._activation_tensor(op.shape)

    def _convolution(self, op: Op, source: int) -> int:
        return self._weighted(op, source, depthwise=False)

    _dense = _convolution  # the deploy form makes a 1x1 convolution of it

    def _depthwise(self, op: Op, source: int) -> int:
        return self._weighted(op, source, depthwise=True)

    def _mean(self, op: Op, source: int) -> int:
        if self._shape(source)[:2] == (1, 1):
            return source  # the converter leaves it out
        if self.axes is None:
            self.axes = self._tensor((2,), schema.TensorType.INT32, np.array([1, 2], np.int32))
        options = schema.ReducerOptionsT()
        options.keepDims = True
        return self._operator(
            _Op.MEAN, [source, self.axes], self._activation_tensor(op.shape), options
        )

    def _multiply(self, op: Op, first: int, second: int) -> int:
        output = self._activation_tensor(op.shape)
        return self._operator(_Op.MUL, [first, second], output, schema.MulOptionsT())

    def _add(self, op: Op, first: int, second: int) -> int:
        output = self._activation_tensor(op.shape)
        return self._operator(_Op.ADD, [first, second], output, schema.AddOptionsT())

    def _flatten(self, op: Op, source: int) -> int:
        channels = op.shape[2]
        shape = self._tensor((2,), schema.TensorType.INT32, np.array([-1, channels], np.int32))
        flat = self._activation_tensor((channels,))
        return self._operator(_Op.RESHAPE, [source, shape], flat, schema.ReshapeOptionsT())

    def _softmax(self, op: Op, source: int) -> int:
        flat = self._flatten(op, source)
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return self._operator(_Op.SOFTMAX, [flat], self._probabilities((op.shape[2],)), options)

    def _max_pool(self, op: Op, source: int) -> int:
        source, padding = self._padded(op, source)
        options = schema.Pool2DOptionsT()
        options.padding = padding
        options.strideH = options.strideW = op.stride
        options.filterHeight, options.filterWidth = op.kernel
        options.fusedActivationFunction = _FUSED[op.activation]
        return self._operator(_Op.MAX_POOL_2D, [source], self._activation_tensor(op.shape), options)

    def _concatenate(self, op: Op, *inputs: int) -> int:
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        output = self._activation_tensor(op.shape)
        return self._operator(_Op.CONCATENATION, list(inputs), output, options)

    def _upsample(self, op: Op, source: int) -> int:
        sides = np.array(op.shape[:2], np.int32)
        size = self._tensor((2,), schema.TensorType.INT32, sides)
        options = schema.ResizeBilinearOptionsT()
        options.halfPixelCenters = True
        output = self._activation_tensor(op.shape)
        return self._operator(_Op.RESIZE_BILINEAR, [source, size], output, options)

    def _activation(self, op: Op, source: int) -> int:
        """An activation alone: an operator, or that of a pooling which changes nothing."""
        if op.activation in OWN_OPERATORS:
            return getattr(self, f"_{op.activation}")(source)
        return self._max_pool(replace(op, kernel=(1, 1)), source)

    def _weighted(self, op: Op, source: int, depthwise: bool) -> int:
        """A convolution with random weights, and its activation."""
        source, padding = self._padded(op, source)
        channels, out = self._shape(source)[2], op.shape[2]
        shape = (1, *op.kernel, out) if depthwise else (out, *op.kernel, channels)
        values = self.random.normal(0, _SPREAD, shape).round().clip(-127, 127).astype(np.int8)
        # Scales and biases differ between channels, as trained ones do.
        spread = self.random.uniform(0.5, 1.5, (2, out))
        # The output has the input's variance, although ReLU halves it: no layer saturates.
        reads = op.kernel[0] * op.kernel[1] * (1 if depthwise else channels)
        scale = spread[0] / _SPREAD * np.sqrt(2 / reads)
        int8, int32 = schema.TensorType.INT8, schema.TensorType.INT32
        kernel = self._tensor(shape, int8, values, scale, axis=3 if depthwise else 0)
        bias = (1000 * (spread[1] - 1)).astype(np.int32)
        biases = self._tensor((out,), int32, bias, _SCALE * scale)
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding = padding
        options.strideH = options.strideW = op.stride
        options.dilationHFactor = options.dilationWFactor = op.dilation
        if depthwise:
            options.depthMultiplier = out // channels
        options.fusedActivationFunction = _FUSED[op.activation]
        code = _Op.DEPTHWISE_CONV_2D if depthwise else _Op.CONV_2D
        output = self._activation_tensor(op.shape)
        self._operator(code, [source, kernel, biases], output, options)
        return self._activation(op, output) if op.activation in OWN_OPERATORS else output

    def _padded(self, op: Op, source: int) -> tuple[int, int]:
        """The convolution's input, and TFLite's padding; zeros that "same" does not add are PAD."""
        height, width, channels = self._shape(source)
        sides = zip((height, width), op.window, op.padding, strict=True)
        if all(same_padding(n, k, op.stride) == tuple(pad) for n, k, pad in sides):
            return source, schema.Padding.SAME
        if op.padding == UNPADDED:
            return source, schema.Padding.VALID
        zeros = np.array([(0, 0), *op.padding, (0, 0)], np.int32)
        paddings = self._tensor((4, 2), schema.TensorType.INT32, zeros)
        (top, bottom), (left, right) = op.padding
        output = self._activation_tensor((height + top + bottom, width + left + right, channels))
        self._operator(_Op.PAD, [source, paddings], output, schema.PadOptionsT())
        return output, schema.Padding.VALID

    def _hard_swish(self, value: int) -> int:
        shape = self._shape(value)
        if self.fuse_hard_swish:
            output = self._activation_tensor(shape)
            return self._operator(_Op.HARD_SWISH, [value], output, schema.HardSwishOptionsT())
        if self.three is None:
            self.three = self._tensor((), schema.TensorType.INT8, np.array([127], np.int8), 3 / 127)
        options = schema.AddOptionsT()
        options.fusedActivationFunction = _Act.RELU6
        gate = self._operator(_Op.ADD, [value, self.three], self._activation_tensor(shape), options)
        output = self._activation_tensor(shape)
        return self._operator(_Op.MUL, [value, gate], output, schema.MulOptionsT())

    def _sigmoid(self, value: int) -> int:
        output = self._probabilities(self._shape(value))
        return self._operator(_Op.LOGISTIC, [value], output)

    def _probabilities(self, shape: Sequence[int]) -> int:
        return self._activation_tensor(shape, scale=1 / 256, zero=-128)

    def _tensor(
        self,
        shape: Sequence[int],
        dtype: int,
        data: np.ndarray | None = None,
        scale: float | np.ndarray | None = None,
        *,
        zero: int = 0,
        axis: int = 0,
    ) -> int:
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

    def _activation_tensor(
        self, shape: Sequence[int], scale: float = _SCALE, zero: int = _ZERO
    ) -> int:
        return self._tensor((1, *shape), schema.TensorType.INT8, scale=scale, zero=zero)

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(map(int, self.graph.tensors[tensor].shape[1:]))

    def _operator(self, code: int, inputs: list[int], output: int, options: Any = None) -> int:
        """Append an operator and return its output."""
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
        return output
