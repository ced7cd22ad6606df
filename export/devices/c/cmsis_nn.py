"""The scratch that convolutions need in CMSIS-NN 4.0.0, from its functions for buffer sizes.

The C code compares these numbers with what the linked CMSIS-NN asks for, and returns an error where
they are too small. TensorFlow Lite Micro's newer CMSIS-NN needs other sizes; see mcu/cmsis.py.
"""

from collections.abc import Mapping

_MVE_CHANNELS = 124  # channels of a depthwise convolution that are computed at a time
_MVE_LANES = 8
KERNELS = ("dsp", "mve")


def pointwise() -> dict[str, int]:
    """Return kernels -> bytes for a 1x1 convolution, which reads its input in place."""
    return {"dsp": 0, "mve": 0}


def convolution(window: Mapping[str, int]) -> dict[str, int]:
    """Return kernels -> bytes for other convolutions: two columns of int16, or four of int8."""
    values = window["height"] * window["width"] * window["channels"]
    lanes = -(-values // _MVE_LANES) * _MVE_LANES
    return {"dsp": 2 * 2 * values, "mve": 4 * lanes}


def depthwise(window: Mapping[str, int]) -> dict[str, int]:
    """Return kernels -> bytes for depthwise convolutions."""
    area = window["height"] * window["width"]
    return {"dsp": 2 * area * window["channels"], "mve": 4 * area * _MVE_CHANNELS}
