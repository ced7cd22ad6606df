"""Outputs of a network for N pictures: an array (N, ...), or a tuple of them if it has several."""

from collections.abc import Iterable, Sequence
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


def joined(parts: Sequence[Outputs]) -> Outputs:
    """Return the outputs for the pictures of all parts, one part after the other."""
    return one_or_all(map(np.concatenate, zip(*map(each, parts), strict=True)))
