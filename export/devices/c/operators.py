"""The operators that have a form in C: each one becomes calls of kernels.

A new operator is a function here, registered with `operator`, and a kernel in templates/kernels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mobilenet_tf.deployment.devices.c import cmsis_nn
from mobilenet_tf.deployment.devices.c.fixed_point import limits, multiplier
from mobilenet_tf.deployment.devices.c.program import Operator, Tensor
from mobilenet_tf.deployment.devices.c.unary import table_of
from mobilenet_tf.networks.graph import same_padding

# A field's value in C: a number, an array, or a struct.
Value: TypeAlias = "int | np.ndarray | Mapping[str, Value]"
Layer: TypeAlias = dict[str, Value]
_HEADROOM = 20  # bits; see mtf_binary.c
_SAME = 0  # the schema's Padding
_SOFTMAX_INTEGER_BITS = 5
_FAMILIES = {
    "mtf_add": "mtf_binary",
    "mtf_multiply": "mtf_binary",
    "mtf_average_pool": "mtf_pool",
    "mtf_max_pool": "mtf_pool",
}


@dataclass(frozen=True, eq=False)
class Call:
    """A call of one kernel.

    Attributes:
        kernel: Name of the C function.
        layer: Field of its struct of constants -> value.
        inputs: Activations and constants to read, in the order of the arguments.
        offset: Where in the output it begins to write, in bytes.
        scratch: Kernels of CMSIS-NN ("dsp", "mve") -> bytes of scratch; None for functions that
            take none.
    """

    kernel: str
    layer: Mapping[str, Value]
    inputs: tuple[Tensor, ...]
    offset: int = 0
    scratch: Mapping[str, int] | None = None

    @property
    def family(self) -> str:
        """The kernel's file is FAMILY.c, its struct FAMILY_layer."""
        return _FAMILIES.get(self.kernel, self.kernel)


Emit = Callable[[Operator], list[Call]]
OPERATORS: dict[str, Emit] = {}


def operator(*kinds: str) -> Callable[[Emit], Emit]:
    """Decorate the function that returns the calls of operators of these kinds."""

    def register(function: Emit) -> Emit:
        OPERATORS.update(dict.fromkeys(kinds, function))
        return function

    return register


def calls_of(op: Operator) -> list[Call]:
    """Return the calls of an operator.

    Raises:
        UserError: It has no form in C.
    """
    if op.kind not in OPERATORS:
        raise op.error("is an operator")
    return OPERATORS[op.kind](op)


@operator("CONV_2D")
def _convolution(op: Operator) -> list[Call]:
    source, weights = op.input(0), op.input(1)
    if weights.shape[3] != source.shape[3]:
        raise op.error("has groups")
    window = _window(op, weights.shape[1], weights.shape[2])
    if _is_pointwise(window):
        return [_pointwise(op, _channel_multipliers(op))]
    layer: Layer = {
        "weights": _constant(op, weights),
        "output": _rescaling(op, _bias(op), _channel_multipliers(op)),
        "window": window,
        "out_channels": op.output.shape[3],
        "input_zero_point": source.zero_point,
    }
    scratch = cmsis_nn.convolution(window)
    return [Call("mtf_convolution", layer, (source,), scratch=scratch)]


@operator("FULLY_CONNECTED")
def _fully_connected(op: Operator) -> list[Call]:
    source, weights = op.input(0), op.input(1)
    if len(weights.scales) == 1:
        # In this order and precision.
        product = float(np.float32(source.scale * weights.scale))
        return [_pointwise(op, [multiplier(product / float(op.output.scale))])]
    return [_pointwise(op, _channel_multipliers(op))]


def _pointwise(op: Operator, multipliers: list[tuple[int, int]]) -> Call:
    source, weights = op.input(0), op.input(1)
    outputs = weights.shape[0]
    matrix = _constant(op, weights).reshape(outputs, -1)
    bias = _bias(op) - source.zero_point * matrix.sum(axis=1, dtype=np.int64)
    # The kernels add in 32 bits and lose what does not fit, so the sum may wrap as well.
    layer: Layer = {
        "weights": matrix.reshape(-1),
        "output": _rescaling(op, bias.astype(np.int32), multipliers),
        "pixels": op.output.size // outputs,
        "in_channels": matrix.shape[1],
        "out_channels": outputs,
    }
    scratch = cmsis_nn.pointwise()
    return Call("mtf_pointwise", layer, (source,), scratch=scratch)


@operator("DEPTHWISE_CONV_2D")
def _depthwise(op: Operator) -> list[Call]:
    source, weights = op.input(0), op.input(1)
    if weights.shape[3] != source.shape[3]:
        raise op.error("has several outputs for each channel")
    window = _window(op, weights.shape[1], weights.shape[2])
    layer: Layer = {
        "weights": _constant(op, weights),
        "output": _rescaling(op, _bias(op), _channel_multipliers(op)),
        "window": window,
        "input_zero_point": source.zero_point,
    }
    scratch = cmsis_nn.depthwise(window)
    return [Call("mtf_depthwise", layer, (source,), scratch=scratch)]


@operator("AVERAGE_POOL_2D", "MAX_POOL_2D")
def _pool(op: Operator) -> list[Call]:
    window = _window(op, op.options.filterHeight, op.options.filterWidth)
    kernel = {"A": "mtf_average_pool", "M": "mtf_max_pool"}[op.kind[0]]
    layer: Layer = {"window": window, **_limits(op)}
    return [Call(kernel, layer, (op.input(0),))]


@operator("REDUCE_MAX")
def _largest(op: Operator) -> list[Call]:
    _, height, width, channels = _reduced(op)
    sides = {"height": height, "width": width}
    window = {f"in_{name}": side for name, side in sides.items()} | sides
    window |= {"channels": channels, "out_height": 1, "out_width": 1, "stride_y": 1, "stride_x": 1}
    layer: Layer = {"window": window | {"top": 0, "left": 0}, "low": -128, "high": 127}
    return [Call("mtf_max_pool", layer, (op.input(0),))]


@operator("MEAN")
def _mean(op: Operator) -> list[Call]:
    source = op.input(0)
    _, height, width, channels = _reduced(op)
    pixels = height * width
    fixed, shift = multiplier(float(source.scale) / float(op.output.scale))
    # The interpreter divides the multiplier by the number of pixels, as precisely as it can.
    more = min(pixels.bit_length() - 1, 32, 31 + shift)
    layer: Layer = {
        "pixels": pixels,
        "offset": pixels * source.zero_point,
        "channels": channels,
        "multiplier": (fixed << more) // pixels,
        "shift": shift - more,
        "zero_point": op.output.zero_point,
    }
    return [Call("mtf_mean", layer, (source,))]


@operator("ADD")
def _add(op: Operator) -> list[Call]:
    first, second = op.input(0), op.input(1)
    twice = 2 * float(max(first.scale, second.scale))
    inputs = [multiplier(float(tensor.scale) / twice) for tensor in (first, second)]
    result = multiplier(twice / ((1 << _HEADROOM) * float(op.output.scale)))
    return [Call("mtf_add", _binary(op, inputs, result), (first, second))]


@operator("MUL")
def _multiply(op: Operator) -> list[Call]:
    first, second = op.input(0), op.input(1)
    result = multiplier(float(first.scale) * float(second.scale) / float(op.output.scale))
    layer = _binary(op, [(0, 0), (0, 0)], result)
    return [Call("mtf_multiply", layer, (first, second))]


@operator("PAD", "PADV2")
def _pad(op: Operator) -> list[Call]:
    source = op.input(0)
    sides = _constant(op, op.input(1)).tolist()
    if len(sides) != 4 or any(sides[0]) or any(sides[3]):
        raise op.error("pads something else than height and width")
    value = source.zero_point if op.kind == "PAD" else int(_constant(op, op.input(2)).item())
    (top, bottom), (left, right) = sides[1:3]
    layer: Layer = {
        **_sizes("in_", source),
        **{"top": top, "bottom": bottom, "left": left, "right": right, "zero_point": value},
    }
    return [Call("mtf_pad", layer, (source,))]


@operator("CONCATENATION")
def _concatenation(op: Operator) -> list[Call]:
    axis = op.options.axis % len(op.output.shape)
    rows = int(np.prod(op.output.shape[:axis], dtype=int))
    calls, offset = [], 0
    for index in range(len(op.inputs)):
        source = op.input(index)
        share = source.size // rows
        layer: Layer = {"rows": rows, "bytes": share, "out_step": op.output.size // rows}
        calls.append(Call("mtf_copy", layer, (source,), offset))
        offset += share
    return calls


@operator(
    "HARD_SWISH", "LOGISTIC", "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "ELU",
    "QUANTIZE",
)  # fmt: skip
def _table(op: Operator) -> list[Call]:
    layer: Layer = {"table": table_of(op), "count": op.output.size}
    return [Call("mtf_table", layer, (op.input(0),))]


@operator("SOFTMAX")
def _softmax(op: Operator) -> list[Call]:
    source = op.input(0)
    classes = source.shape[-1]
    most = 2.0**31 - 1
    real = float(np.float32(op.options.beta)) * float(source.scale)
    fixed, shift = multiplier(min(real * 2 ** (31 - _SOFTMAX_INTEGER_BITS), most))
    radius = (2**_SOFTMAX_INTEGER_BITS - 1) * 2.0 ** (31 - _SOFTMAX_INTEGER_BITS) / 2.0**shift
    layer: Layer = {
        "rows": source.size // classes,
        "classes": classes,
        "multiplier": fixed,
        "shift": shift,
        "least": -int(radius),
    }
    return [Call("mtf_softmax", layer, (source,))]


# Parts of layers.


def _constant(op: Operator, tensor: Tensor) -> np.ndarray:
    if tensor.data is None:
        raise op.error("has an input that is not constant")
    return tensor.data


def _bias(op: Operator) -> np.ndarray:
    if len(op.inputs) < 3 or op.inputs[2] is None:
        return np.zeros(op.output.shape[-1], np.int32)
    return _constant(op, op.input(2))


def _channel_multipliers(op: Operator) -> list[tuple[int, int]]:
    source = float(op.input(0).scale)
    scales = op.input(1).scales
    return [multiplier(source * float(scale) / float(op.output.scale)) for scale in scales]


def _rescaling(op: Operator, bias: np.ndarray, multipliers: list[tuple[int, int]]) -> Layer:
    fixed, shifts = zip(*multipliers, strict=True)
    return {
        "bias": bias,
        # CMSIS-NN has one for each channel, even where all are equal.
        "multipliers": np.array(fixed, np.int32) * np.ones_like(bias),
        "shifts": np.array(shifts, np.int8) * np.ones_like(bias, np.int8),
        "zero_point": op.output.zero_point,
        **_limits(op),
    }


def _limits(op: Operator) -> Layer:
    try:
        low, high = limits(op.options.fusedActivationFunction, op.output)
    except KeyError:
        raise op.error("has an activation other than the ReLUs") from None
    return {"low": low, "high": high}


def _sizes(prefix: str, tensor: Tensor) -> Layer:
    _, height, width, channels = tensor.shape
    return {f"{prefix}height": height, f"{prefix}width": width, "channels": channels}


def _window(op: Operator, height: int, width: int) -> dict[str, int]:
    """Return the fields of mtf_window."""
    options, source = op.options, op.input(0)
    dilation = (getattr(options, "dilationHFactor", 1), getattr(options, "dilationWFactor", 1))
    if dilation != (1, 1):
        raise op.error("has a dilation")
    _, in_height, in_width, channels = source.shape
    _, out_height, out_width, _ = op.output.shape
    top = left = 0
    if options.padding == _SAME:
        top = same_padding(in_height, height, options.strideH)[0]
        left = same_padding(in_width, width, options.strideW)[0]
    return {
        **{"in_height": in_height, "in_width": in_width, "channels": channels},
        **{"out_height": out_height, "out_width": out_width, "height": height, "width": width},
        **{"stride_y": options.strideH, "stride_x": options.strideW, "top": top, "left": left},
    }


def _is_pointwise(window: Mapping[str, int]) -> bool:
    return all(window[name] == 1 for name in ("height", "width", "stride_y", "stride_x"))


def _reduced(op: Operator) -> tuple[int, ...]:
    """Return the shape of a tensor whose height and width are reduced."""
    shape = op.input(0).shape
    axes = {int(axis) % len(shape) for axis in _constant(op, op.input(1)).reshape(-1)}
    if len(shape) != 4 or axes != {1, 2}:
        raise op.error("reduces something else than height and width")
    return shape


def _binary(op: Operator, inputs: list[tuple[int, int]], result: tuple[int, int]) -> Layer:
    """Return the fields of mtf_binary_layer, with broadcasting."""
    shape = op.output.shape
    rows, columns = int(np.prod(shape[:-1], dtype=int)), shape[-1]
    operands = []
    for tensor, (fixed, shift) in zip((op.input(0), op.input(1)), inputs, strict=True):
        row_step, column_step = _steps(op, tensor)
        operands.append(
            {
                **{"row_step": row_step, "column_step": column_step},
                **{"zero_point": tensor.zero_point, "multiplier": fixed, "shift": shift},
            }
        )
    return {
        **{"first": operands[0], "second": operands[1], "rows": rows, "columns": columns},
        **{"multiplier": result[0], "shift": result[1], "zero_point": op.output.zero_point},
        **_limits(op),
    }


def _steps(op: Operator, tensor: Tensor) -> tuple[int, int]:
    """Return by how much a row and a column of the output advance in an operand."""
    shape = op.output.shape
    own = (1,) * (len(shape) - len(tensor.shape)) + tensor.shape
    if own[:-1] not in (shape[:-1], (1,) * (len(shape) - 1)):
        raise op.error("repeats an operand along some of height and width")
    columns = own[-1]
    return (columns if own[:-1] == shape[:-1] else 0), int(columns > 1)
