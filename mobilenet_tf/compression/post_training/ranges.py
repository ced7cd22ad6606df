"""Rules of a tensor's range that leave out rare values."""

import numpy as np

from mobilenet_tf.compression.calibration import RangeRule, extremes

_VALUES = 20_000  # number of values of a tensor that a range is judged with


def percentile(values: np.ndarray) -> tuple[float, float]:
    """Return a range that leaves out one value of 10,000 at each end."""
    low, high = np.percentile(values, (0.01, 99.99))
    return float(low), float(high)


def least_squares(values: np.ndarray) -> tuple[float, float]:
    """Return the part of the whole range whose 256 steps have the least squared error."""
    values = values.ravel()[:: max(1, values.size // _VALUES)]
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)

    def error(share: float) -> float:
        step = max(high - low, 1e-6) * share / 255
        rounded = np.clip(np.rint(values / step) * step, low * share, high * share)
        return float(np.square(rounded - values).mean())

    share = min(np.linspace(0.4, 1.0, 25), key=error)
    return low * share, high * share


# Values of `PostTraining.ranges`.
RULES: dict[str, RangeRule] = {
    "extremes": extremes,
    "percentile": percentile,
    "least_squares": least_squares,
}
