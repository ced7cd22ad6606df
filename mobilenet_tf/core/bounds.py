"""The bounds of the quantities that several commands take: one place per quantity."""

from collections.abc import Sequence
from math import isfinite
from numbers import Integral, Real
from typing import Any

from mobilenet_tf.core.errors import UserError

LARGEST_SEED = 2**32 - 1  # NumPy's
_LARGEST_MEAN = 1e6  # pixel values
_STD = (1e-6, 1e6)
_WHITE_LEVEL = (1e-30, 1e39)  # those of a 32-bit float
_MOST_THREADS = 256


def check_seed(seed: Any) -> None:
    """Reject a seed that a random generator does not take.

    Raises:
        UserError: It is not a whole number from 0 to 4294967295.
    """
    check_whole("seed", seed, 0, LARGEST_SEED)


def check_threads(threads: Any) -> None:
    """Reject a number of CPU threads that no interpreter survives.

    Raises:
        UserError: It is not a whole number from 1 to 256.
    """
    check_whole("threads", threads, 1, _MOST_THREADS)


def check_normalisation(mean: Any, std: Any) -> None:
    """Reject a mean or a standard deviation of pixel values that cannot be meant.

    Raises:
        UserError: One of them is not a finite number within its bounds.
    """
    check_number("mean", mean, -_LARGEST_MEAN, _LARGEST_MEAN)
    if isinstance(std, Real) and std <= 0:
        raise UserError(f"std is {std:g}; it must be greater than 0.")
    check_number("std", std, *_STD)


def check_white_level(value: Any) -> None:
    """Reject a value that cannot be white.

    Raises:
        UserError: It is not a finite number within its bounds.
    """
    check_number("white_level", value, *_WHITE_LEVEL)


def is_white_level(value: Any) -> bool:
    """Return whether `check_white_level` accepts a value."""
    try:
        check_white_level(value)
    except UserError:
        return False
    return True


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Reject what is not a whole number from `least` to `most`.

    Raises:
        UserError: It is not.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole and value < least:
        raise UserError(f"{name} is {value!r}; it must be at least {least}.")
    if not whole or value > most:
        raise UserError(f"{name} is {value!r}; it must be a whole number from {least} to {most}.")


def check_number(name: str, value: Any, least: float, most: float) -> None:
    """Reject what is not a finite number from `least` to `most`.

    Raises:
        UserError: It is not.
    """
    known = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
    if not known or not least <= value <= most:
        raise UserError(f"{name} is {value!r}; it must be a number from {least:g} to {most:g}.")


def check_choice(name: str, value: Any, accepted: Sequence[str]) -> None:
    """Reject a value that is not among those that are accepted.

    Raises:
        UserError: It is none of them.
    """
    if value not in accepted:
        raise UserError(f"{name} is {value!r}; it must be one of {', '.join(accepted)}.")


def check_channels_last(shape: Sequence[int], name: str) -> None:
    """Reject an input for images, (batch, height, width, channels), that has its channels first.

    Raises:
        UserError: Its shape is that of (batch, channels, height, width).
    """
    if len(shape) == 4 and shape[1] in (1, 3) and shape[2] == shape[3] != shape[1]:
        raise UserError(
            f"{name} has an input of shape {tuple(shape)}, channels first (NCHW); channels last "
            "(NHWC) are needed."
        )
