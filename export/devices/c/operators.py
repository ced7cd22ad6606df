"""The operators that have a form in C: each one becomes calls of kernels.

A new operator is a function, registered with `operator`, and a kernel in templates/src/kernels.
"""

import numpy as np

# They register their operators.
from mobilenet_tf.deployment.devices.c import convolutions, unpacking  # noqa: F401
from mobilenet_tf.deployment.devices.c.calls import (
    OPERATORS,
    Call,
    Layer,
    constant,
    fused_limits,
    operator,
)
from mobilenet_tf.deployment.devices.c.fixed_point import multiplier
from mobilenet_tf.deployment.devices.c.program import Operator, Tensor
from mobilenet_tf.deployment.devices.c.unary import table_of

_HEADROOM = 20  # bits; see mtf_binary.c
_SOFTMAX_INTEGER_BITS = 5


def calls_of(op: Operator) -> list[Call]:
    """Return the calls of an operator.

    Raises:
        UserError: It has no form in C.
    """
    if op.kind not in OPERATORS:
        raise op.error("is an operator")
    return OPERATORS[op.kind](op)


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
    sides = constant(op, op.input(1)).tolist()
    if len(sides) != 4 or any(sides[0]) or any(sides[3]):
        raise op.error("pads something else than height and width")
    value = source.zero_point if op.kind == "PAD" else int(constant(op, op.input(2)).item())
    (top, bottom), (left, right) = sides[1:3]
    layer: Layer = {
        **_sizes("in_", source),
        **{"top": top, "bottom": bottom, "left": left, "right": right, "zero_point": value},
    }
    return [Call("mtf_pad", layer, (source,))]


@operator("RESIZE_BILINEAR")
def _upsample(op: Operator) -> list[Call]:
    source = op.input(0)
    sides = constant(op, op.input(1)).tolist()
    if sides != [2 * side for side in source.shape[1:3]] or not op.options.halfPixelCenters:
        raise op.error("is no enlargement by two with half-pixel centres")
    return [Call("mtf_upsample", _sizes("in_", source), (source,))]


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


def _sizes(prefix: str, tensor: Tensor) -> Layer:
    _, height, width, channels = tensor.shape
    return {f"{prefix}height": height, f"{prefix}width": width, "channels": channels}


def _reduced(op: Operator) -> tuple[int, ...]:
    """Return the shape of a tensor whose height and width are reduced."""
    shape = op.input(0).shape
    axes = {int(axis) % len(shape) for axis in constant(op, op.input(1)).reshape(-1)}
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
        **fused_limits(op),
    }


def _steps(op: Operator, tensor: Tensor) -> tuple[int, int]:
    """Return by how much a row and a column of the output advance in an operand."""
    shape = op.output.shape
    own = (1,) * (len(shape) - len(tensor.shape)) + tensor.shape
    if own[:-1] not in (shape[:-1], (1,) * (len(shape) - 1)):
        raise op.error("repeats an operand along some of height and width")
    columns = own[-1]
    return (columns if own[:-1] == shape[:-1] else 0), int(columns > 1)
