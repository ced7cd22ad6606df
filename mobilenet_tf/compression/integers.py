"""The arithmetic of the int8 file, on floats that hold integers.

A float network with rounded tensors does not predict the file's outputs exactly. It differs from
the integer kernels by one step where a value lies between two integers, and fifty layers spread
that step over whole tensors. So at inference the quantization-aware model computes what the
kernels compute: exact sums of integer products, which float32 holds up to 2^24, and one
multiplication and rounding per tensor, in the order and precision of XNNPACK, TFLite's kernels on
CPUs. Other runtimes sometimes round differently by one step.

Integers are centred here: q minus its zero point, so that real = integer * scale.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

_LOW, _HIGH = -128, 127


@dataclass(frozen=True)
class Grid:
    """The quantization of a tensor: real = (q - zero_point) * scale.

    Attributes:
        scale: Scale in the file.
        zero_point: -128 to 127.
        precise: The scale before it was rounded to float32; the converter divides biases by it.
    """

    scale: np.float32
    zero_point: int
    precise: float

    @classmethod
    def of(cls, bounds: tuple[float, float]) -> "Grid":
        """Return the grid to which the converter turns a range."""
        low, high = (float(np.float32(bound)) for bound in bounds)
        scale = (high - low) / (_HIGH - _LOW)
        zero_point = int(np.clip(np.rint(_LOW - low / scale), _LOW, _HIGH))
        return cls(np.float32(scale), zero_point, scale)

    def integers(self, real: tf.Tensor) -> tf.Tensor:
        """Return the centred integers of a tensor whose values lie on the grid."""
        return tf.round(real / self.scale)

    def real(self, integers: tf.Tensor) -> tf.Tensor:
        """Clamp centred integers to int8 and return their real values."""
        low, high = _LOW - self.zero_point, _HIGH - self.zero_point
        return tf.clip_by_value(integers, float(low), float(high)) * self.scale

    def nearest(self, real: tf.Tensor) -> tf.Tensor:
        """Round real values to the grid."""
        return self.real(self.integers(real))


def convolution(total: tf.Tensor, multiplier: tf.Tensor, output: Grid) -> tf.Tensor:
    """Requantize sums of products, which include the bias, with one multiplier per channel."""
    return output.real(tf.round(total * multiplier))


def multiply(left: tf.Tensor, right: tf.Tensor, a: Grid, b: Grid, output: Grid) -> tf.Tensor:
    """Compute MUL of real tensors on the grids `a` and `b`."""
    product = a.integers(left) * b.integers(right)
    return output.real(tf.round(product * (a.scale * b.scale / output.scale)))


def add(left: tf.Tensor, right: tf.Tensor, a: Grid, b: Grid, output: Grid) -> tf.Tensor:
    """Compute ADD of real tensors: two integer multipliers of 21 bits and one shift."""
    ratios = np.array([a.scale / output.scale, b.scale / output.scale], np.float32)
    shift = 20 - (int(np.frexp(ratios.max())[1]) - 1)
    by_left, by_right = (int(np.rint(np.ldexp(ratio, shift))) for ratio in ratios)
    total = tf.cast(a.integers(left), tf.int32) * by_left
    total += tf.cast(b.integers(right), tf.int32) * by_right
    total = tf.bitwise.right_shift(total + (1 << (shift - 1)), shift)
    return output.real(tf.cast(total, tf.float32))


def mean(real: tf.Tensor, grid: Grid, output: Grid) -> tf.Tensor:
    """Compute MEAN over height and width, which stay as sides of 1."""
    count = real.shape[1] * real.shape[2]
    total = tf.reduce_sum(grid.integers(real), axis=(1, 2), keepdims=True)
    return output.real(tf.round(total * (grid.scale / (np.float32(count) * output.scale))))


def range_without_ties(
    bounds: tuple[float, float], source: Grid, count: int
) -> tuple[float, float]:
    """Widen the range of a MEAN by less than one percent so that no mean lies between integers.

    XNNPACK's versions add the zero point before or after the rescaling, and differ where the
    rescaled value is within float32's precision of a half. A rescaling by p / q with an odd q
    never comes nearer to a half than 1 / 2q, so all versions round alike.

    Args:
        bounds: Measured range.
        source: Grid of the tensor that is averaged.
        count: Number of values per mean.
    """
    rescaling = source.precise / (count * Grid.of(bounds).precise)
    odd = np.arange(1.0, max(1024.0, 3 / rescaling), 2.0)
    below = np.floor(rescaling * odd) / odd
    wider = rescaling / below.max()
    return bounds[0] * wider, bounds[1] * wider


# The 3 of relu6(x + 3), as the converter stores it.
THREE = Grid.of((0.0, 3.0))
