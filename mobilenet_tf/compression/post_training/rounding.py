"""A layer's kernel -> integers, so that the layer's outputs change least.

Everything here is for one layer, whose kernel is (groups, inputs, outputs): one group for a full
convolution, one for each channel of a depthwise convolution. With the second moments H of the
inputs, the squared error of the outputs is the sum of d' H d over the errors d of the kernel's
columns. No pictures are needed beside H.
"""

import numpy as np

LEVELS = 127  # integers are from -LEVELS to LEVELS
_DAMPING = 0.01  # share of H's mean diagonal that is added to it
_SHARES = np.linspace(0.4, 1.0, 241)  # parts of the largest weight that are tried as limit


def largest(kernel: np.ndarray, per_channel: bool) -> np.ndarray:
    """Return the largest magnitude of each output channel, or of all, as (groups, 1, outputs)."""
    limit = np.abs(kernel).max(axis=1, keepdims=True)
    return limit if per_channel else np.full_like(limit, limit.max())


def least_error(kernel: np.ndarray, moments: np.ndarray, per_channel: bool) -> np.ndarray:
    """Return the limits at which rounding to the nearest has the least error.

    Inputs count as uncorrelated here, which makes the search as cheap as one rounding per share.

    Args:
        kernel: (groups, inputs, outputs).
        moments: H, (groups, inputs, inputs).
        per_channel: As in `largest`.

    Returns:
        (groups, 1, outputs), at most `largest`.
    """
    whole = largest(kernel, per_channel)
    weight = np.diagonal(moments, axis1=1, axis2=2)[:, :, None]

    def error(limit: np.ndarray) -> np.ndarray:
        found = np.sum((nearest(kernel, limit) * limit / LEVELS - kernel) ** 2 * weight, axis=1)
        return found[:, None] if per_channel else np.full_like(limit, found.sum())

    best, least = whole, error(whole)
    for share in _SHARES[:-1]:
        limit = share * whole
        found = error(limit)
        best, least = np.where(found < least, limit, best), np.minimum(found, least)
    return best


def nearest(kernel: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Return the nearest integers in steps of limit / LEVELS."""
    return np.clip(np.rint(kernel / _step(limit)), -LEVELS, LEVELS)


def gptq(kernel: np.ndarray, moments: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Round input by input; the inputs that remain compensate for each error.

    Frantar et al., "GPTQ" (arXiv 2210.17323), algorithm 1, with the inputs in the order of falling
    moments as in the authors' code.

    Args:
        kernel: (groups, inputs, outputs).
        moments: H, (groups, inputs, inputs).
        limit: (groups, 1, outputs).

    Returns:
        Integers in the kernel's shape. The largest weight of each output is +-LEVELS, so that
        `limit` can be read from the kernel.
    """
    step = _step(limit)[:, 0]
    diagonal = np.diagonal(moments, axis1=1, axis2=2)
    order = np.argsort(-diagonal.mean(axis=0), kind="stable")
    rest = kernel[:, order].astype(np.float64)
    fixed = np.abs(rest) >= np.minimum(limit, np.abs(rest).max(axis=1, keepdims=True))
    inverse = np.linalg.inv(damped(moments)[:, order][:, :, order])
    factor = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)
    integers = np.empty_like(rest)
    for place in range(len(order)):
        weight = np.where(fixed[:, place], kernel[:, order[place]], rest[:, place])
        integers[:, place] = np.clip(np.rint(weight / step), -LEVELS, LEVELS)
        error = (rest[:, place] - integers[:, place] * step) / factor[:, place, place, None]
        rest[:, place + 1 :] -= factor[:, place, place + 1 :, None] * error[:, None]
    return integers[:, np.argsort(order)]


def damped(moments: np.ndarray) -> np.ndarray:
    """Return H with a small share of its mean diagonal added, which makes it invertible."""
    count = moments.shape[-1]
    mean = np.trace(moments, axis1=1, axis2=2) / count
    return moments + np.eye(count) * np.maximum(_DAMPING * mean, 1e-6)[:, None, None]


def _step(limit: np.ndarray) -> np.ndarray:
    return np.maximum(limit, np.finfo(np.float32).tiny) / LEVELS
