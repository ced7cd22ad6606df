"""What the functions of operators return, where they are registered, and what they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mobilenet_tf.deployment.devices.c.fixed_point import limits
from mobilenet_tf.deployment.devices.c.program import Operator, Tensor
from mobilenet_tf.networks.graph import same_padding

# A field's value in C: a number, an array, a tensor's place, or a struct.
Value: TypeAlias = "int | np.ndarray | Tensor | Mapping[str, Value]"
Layer: TypeAlias = dict[str, Value]
_SAME = 0  # the schema's Padding
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


def constant(op: Operator, tensor: Tensor) -> np.ndarray:
    """Return the values of an input.

    Raises:
        UserError: It is neither constant nor decoded from constants.
    """
    if tensor.values is None:
        raise op.error("has an input that is not constant")
    return tensor.values


def fused_limits(op: Operator) -> Layer:
    """Return the fields `low` and `high` of an operator with a fused activation.

    Raises:
        UserError: The activation is none of the ReLUs.
    """
    try:
        low, high = limits(op.options.fusedActivationFunction, op.output)
    except KeyError:
        raise op.error("has an activation other than the ReLUs") from None
    return {"low": low, "high": high}


def dilation_of(op: Operator) -> tuple[int, int]:
    """Return the distance of a kernel's taps, in rows and in columns; 1 without a dilation."""
    options = op.options
    return getattr(options, "dilationHFactor", 1), getattr(options, "dilationWFactor", 1)


def window_of(op: Operator, height: int, width: int) -> dict[str, int]:
    """Return the fields of mtf_window for a kernel of this size."""
    options, source = op.options, op.input(0)
    _, in_height, in_width, channels = source.shape
    _, out_height, out_width, _ = op.output.shape
    top = left = 0
    if options.padding == _SAME:
        down, across = dilation_of(op)
        top = same_padding(in_height, (height - 1) * down + 1, options.strideH)[0]
        left = same_padding(in_width, (width - 1) * across + 1, options.strideW)[0]
    return {
        **{"in_height": in_height, "in_width": in_width, "channels": channels},
        **{"out_height": out_height, "out_width": out_width, "height": height, "width": width},
        **{"stride_y": options.strideH, "stride_x": options.strideW, "top": top, "left": left},
    }
