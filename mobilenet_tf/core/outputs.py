"""Outputs of a network for N pictures: an array (N, ...), or a tuple of them if it has several."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import numpy as np

Outputs = Any  # np.ndarray or tuple[np.ndarray, ...]; a task knows which


def each(outputs: Outputs) -> tuple[np.ndarray, ...]:
    """Return the arrays of all outputs."""
    return (outputs,) if isinstance(outputs, np.ndarray) else tuple(outputs)


def one_or_all(arrays: Iterable[np.ndarray]) -> Outputs:
    """Return the only array, or a tuple of several."""
    found = tuple(arrays)
    return found[0] if len(found) == 1 else found


def values_shape(sides: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of an output for one picture, with one side if it has values along one."""
    count = prod(sides)
    return (count,) if count == max(sides, default=1) else tuple(sides)


def values_of(outputs: Sequence[np.ndarray]) -> Outputs:
    """Return the outputs of a model, each in the shape that a file's have."""
    return one_or_all(one.reshape(len(one), *values_shape(one.shape[1:])) for one in outputs)


def side_by_side(outputs: Outputs) -> np.ndarray:
    """Return the values of all outputs of a picture one after the other: (N, values)."""
    return np.concatenate([one.reshape(len(one), -1) for one in each(outputs)], axis=1)


def joined(parts: Sequence[Outputs]) -> Outputs:
    """Return the outputs for the pictures of all parts, one part after the other."""
    return one_or_all(map(np.concatenate, zip(*map(each, parts), strict=True)))
