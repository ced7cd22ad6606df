"""Magnitude pruning of kernels: which weights become zero, and how many at a step of training.

Zhu and Gupta, "To prune, or not to prune" (2017). The functions work on plain arrays, whatever
their axes, of reals or of integers.
"""

from math import ceil

import numpy as np

from mobilenet_tf.core.errors import UserError


def sparsity_at(step: int, start: int, end: int, final: float, initial: float = 0.0) -> float:
    """Return the share of zeros at a step of training: the paper's equation 1, without its steps.

    Args:
        step: The step.
        start: The step from which the share rises, fast at first.
        end: The step at which it has risen.
        final: The share from `end` on.
        initial: The share until `start`.
    """
    done = min(max((step - start) / max(end - start, 1), 0.0), 1.0)
    return final + (initial - final) * (1 - done) ** 3


def prune(kernel: np.ndarray, sparsity: float, block: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Return a kernel with the smallest weights set to zero.

    Args:
        kernel: The weights.
        sparsity: The share of weights to set to zero, from 0 to 1.
        block: Sides, along the last two axes, of blocks that become zero as a whole, those with the
            smallest mean magnitude first. Blocks at the edge may be smaller.

    Raises:
        UserError: The share is not from 0 to 1.
    """
    if not 0 <= sparsity <= 1:
        raise UserError(f"sparsity is {sparsity:g}; it must be from 0 to 1.")
    plane = np.atleast_2d(kernel)
    numbers = _block_numbers(plane.shape, block)
    sizes = np.bincount(numbers.reshape(-1))
    means = np.bincount(numbers.reshape(-1), np.abs(plane.astype(np.float64)).reshape(-1)) / sizes
    # Equal means are in the order of the blocks, so that equal kernels give equal masks.
    order = np.argsort(means, kind="stable")
    zeros = np.zeros(len(sizes), bool)
    zeros[order[: round(sparsity * len(sizes))]] = True
    return np.where(zeros[numbers], np.zeros_like(plane), plane).reshape(kernel.shape)


def _block_numbers(shape: tuple[int, ...], block: tuple[int, int]) -> np.ndarray:
    """Return the number of the block to which each weight belongs."""
    *outer, rows, columns = shape
    across = ceil(columns / block[1])
    per_plane = ceil(rows / block[0]) * across
    planes = np.arange(int(np.prod(outer, dtype=int))).reshape(*outer, 1, 1)
    row, column = np.arange(rows)[:, None] // block[0], np.arange(columns) // block[1]
    return planes * per_plane + row * across + column


def prune_n_of_m(kernel: np.ndarray, zeros: int, group: int, axis: int) -> np.ndarray:
    """Return a kernel in which each group of weights along an axis has so many zeros.

    Args:
        kernel: The weights.
        zeros: Weights of a group that become zero, the smallest first, such as 2.
        group: Weights in a group, such as 4. What is left at the end of the axis stays.
        axis: The axis, in Keras kernels that of input channels, -2.

    Raises:
        UserError: There are no such groups.
    """
    if not 0 <= zeros <= group or group < 1:
        raise UserError(f"{zeros} zeros of {group}: they must be from 0 to the group's size.")
    moved = np.moveaxis(kernel, axis, -1).copy()
    whole = moved.shape[-1] // group * group
    groups = moved[..., :whole].reshape(*moved.shape[:-1], -1, group)
    order = np.argsort(np.abs(groups), axis=-1, kind="stable")
    np.put_along_axis(groups, order[..., :zeros], 0, axis=-1)
    moved[..., :whole] = groups.reshape(*moved.shape[:-1], whole)
    return np.moveaxis(moved, -1, axis)
