"""AdaRound: learn whether each weight is rounded up or down (Nagel et al., arXiv 2004.10568)."""

import numpy as np

from mobilenet_tf.compression.post_training.rounding import LEVELS

_STEPS = 500
_RATE = 3e-2
_ROUNDING = 0.3  # weight of the regularizer, whose gradient pushes every weight to one side
_WARMUP = 0.2  # share of the steps without it
_SHARPNESS = (20.0, 2.0)  # beta of equation 24 after the warm-up and at the end
_STRETCH = 1.2  # zeta - gamma of equation 23
_OFFSET = -0.1  # gamma
_MOMENTS, _EPSILON = (0.9, 0.999), 1e-8  # of Adam


def adaround(kernel: np.ndarray, moments: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Round a kernel so that the squared error of the layer's outputs is least (equation 25).

    The paper computes the error from samples of the inputs; with their second moments it is the
    same number, and a step costs the same however many samples there are.

    Args:
        kernel: (groups, inputs, outputs).
        moments: Second moments of the inputs, (groups, inputs, inputs).
        limit: (groups, 1, outputs).

    Returns:
        Integers in the kernel's shape.
    """
    step = np.maximum(limit, np.finfo(np.float32).tiny) / LEVELS
    scaled = np.clip(kernel / step, -LEVELS, LEVELS)
    # A weight at its limit stays there, so that the limit can be read from the kernel.
    movable = np.abs(scaled) < LEVELS - 1e-3
    below = np.where(movable, np.floor(scaled), np.rint(scaled))
    share = np.where(movable, scaled - below, 0.0)
    # Moments of a mean of 1 per input, so that one weight of the regularizer suits all layers.
    scale = np.trace(moments, axis1=1, axis2=2).mean() / moments.shape[-1]
    moments = (moments / max(scale, 1e-12)).astype(np.float32)
    lean = np.log((share - _OFFSET) / (_STRETCH + _OFFSET - share)).astype(np.float32)
    mean, square = np.zeros_like(lean), np.zeros_like(lean)
    fraction, movable = share.astype(np.float32), movable.astype(np.float32)
    for number in range(1, _STEPS + 1):
        sigmoid = 1 / (1 + np.exp(-lean))
        stretched = _STRETCH * sigmoid + _OFFSET
        up = np.clip(stretched, 0, 1)
        slope = np.where((stretched > 0) & (stretched < 1), _STRETCH * sigmoid * (1 - sigmoid), 0)
        gradient = 2 * np.matmul(moments, (up - fraction) * movable)
        gradient += _ROUNDING * _push(up, number / _STEPS)
        gradient *= slope * movable
        mean += (1 - _MOMENTS[0]) * (gradient - mean)
        square += (1 - _MOMENTS[1]) * (gradient**2 - square)
        unbiased = square / (1 - _MOMENTS[1] ** number)
        lean -= _RATE * mean / (1 - _MOMENTS[0] ** number) / (np.sqrt(unbiased) + _EPSILON)
    chosen = np.clip(_STRETCH / (1 + np.exp(-lean)) + _OFFSET, 0, 1) >= 0.5
    return below + (chosen & (movable > 0))


def _push(up: np.ndarray, done: float) -> np.ndarray | float:
    """Return the gradient of the regularizer 1 - |2h - 1|^beta (equation 24)."""
    if done < _WARMUP:
        return 0.0
    start, end = _SHARPNESS
    left = 1 - (done - _WARMUP) / (1 - _WARMUP)
    beta = end + 0.5 * (start - end) * (1 + np.cos(np.pi * (1 - left)))
    offset = 2 * up - 1
    return -2 * beta * np.sign(offset) * np.abs(offset) ** (beta - 1)
