"""Convolutions, fully connected layers and pools."""

from collections.abc import Mapping

import numpy as np

from mobilenet_tf.deployment.devices.c import cmsis_nn
from mobilenet_tf.deployment.devices.c.calls import (
    Call,
    Layer,
    constant,
    dilation_of,
    fused_limits,
    operator,
    window_of,
)
from mobilenet_tf.deployment.devices.c.fixed_point import multiplier
from mobilenet_tf.deployment.devices.c.program import Operator, Tensor
from mobilenet_tf.deployment.tflite.kernels import INT4, pack_int4


@operator("CONV_2D")
def _convolution(op: Operator) -> list[Call]:
    source, weights = op.input(0), _kernel(op)
    if weights.shape[3] != source.shape[3]:
        raise op.error("has groups")
    if dilation_of(op) != (1, 1):
        raise op.error("has a dilation")
    window = window_of(op, weights.shape[1], weights.shape[2])
    if _is_pointwise(window):
        return [_pointwise(op, _channel_multipliers(op))]
    layer: Layer = {
        "weights": weights,
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
    matrix = constant(op, weights).reshape(outputs, -1)
    bias = _bias(op) - source.zero_point * matrix.sum(axis=1, dtype=np.int64)
    # The kernels add in 32 bits and lose what does not fit, so the sum may wrap as well.
    layer: Layer = {
        "weights": weights,
        "output": _rescaling(op, bias.astype(np.int32), multipliers),
        "pixels": op.output.size // outputs,
        "in_channels": matrix.shape[1],
        "out_channels": outputs,
    }
    if weights.dtype == INT4 and matrix.shape[1] % 2 == 0:  # a row ends with a byte
        packed: Layer = {"weights": pack_int4(matrix)}
        return Call("mtf_pointwise_int4", layer | packed, (source,))
    scratch = cmsis_nn.pointwise()
    return Call("mtf_pointwise", layer, (source,), scratch=scratch)


@operator("DEPTHWISE_CONV_2D")
def _depthwise(op: Operator) -> list[Call]:
    source, weights = op.input(0), _kernel(op)
    if weights.shape[3] != source.shape[3]:
        raise op.error("has several outputs for each channel")
    window = window_of(op, weights.shape[1], weights.shape[2])
    layer: Layer = {
        "weights": weights,
        "output": _rescaling(op, _bias(op), _channel_multipliers(op)),
        "window": window,
        "input_zero_point": source.zero_point,
    }
    down, across = dilation_of(op)
    if (down, across) != (1, 1):
        layer |= {"dilation_y": down, "dilation_x": across}
        return [Call("mtf_dilated", layer, (source,))]
    scratch = cmsis_nn.depthwise(window)
    return [Call("mtf_depthwise", layer, (source,), scratch=scratch)]


@operator("AVERAGE_POOL_2D", "MAX_POOL_2D")
def _pool(op: Operator) -> list[Call]:
    window = window_of(op, op.options.filterHeight, op.options.filterWidth)
    kernel = {"A": "mtf_average_pool", "M": "mtf_max_pool"}[op.kind[0]]
    layer: Layer = {"window": window, **fused_limits(op)}
    return [Call(kernel, layer, (op.input(0),))]


def _is_pointwise(window: Mapping[str, int]) -> bool:
    return all(window[name] == 1 for name in ("height", "width", "stride_y", "stride_x"))


def _kernel(op: Operator) -> Tensor:
    constant(op, op.input(1))
    return op.input(1)


def _bias(op: Operator) -> np.ndarray:
    if len(op.inputs) < 3 or op.inputs[2] is None:
        return np.zeros(op.output.shape[-1], np.int32)
    return constant(op, op.input(2))


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
        **fused_limits(op),
    }
