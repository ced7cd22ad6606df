"""Real numbers as the integers with which TensorFlow Lite's kernels multiply."""

import math

import numpy as np

from mobilenet_tf.deployment.devices.c.program import Tensor

_BITS = 31
_LARGEST_SHIFT = 30


def multiplier(real: float) -> tuple[int, int]:
    """Return (multiplier, shift) with real = multiplier * 2^(shift - 31), as QuantizeMultiplier."""
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    fixed = rounded(fraction * 2**_BITS)
    if fixed == 2**_BITS:
        fixed, shift = fixed // 2, shift + 1
    if shift < -_BITS:
        return 0, 0
    if shift > _LARGEST_SHIFT:
        return 2**_BITS - 1, _LARGEST_SHIFT
    return fixed, shift


def rounded(value: float) -> int:
    """Return the nearest integer; halves away from zero, as C's round."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def limits(activation: int, output: Tensor) -> tuple[int, int]:
    """Return the least and the largest int8 of an output after its activation.

    Args:
        activation: One of the schema's ActivationFunctionType: NONE, RELU, RELU_N1_TO_1, RELU6.
        output: The tensor.

    Raises:
        KeyError: Another activation.
    """
    low, high = {0: (None, None), 1: (0, None), 2: (-1, 1), 3: (0, 6)}[activation]

    def integer(real: float) -> int:
        return output.zero_point + rounded(float(np.float32(real) / output.scale))

    return (
        -128 if low is None else max(-128, integer(low)),
        127 if high is None else min(127, integer(high)),
    )
