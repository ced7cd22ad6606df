"""Ratios of times that were measured in turns: how many times faster one program is than another.

The machine is shared. Its load changes from minute to minute and affects both times of a round
alike, so their ratio is more reliable than the times.
"""

from collections.abc import Sequence

import numpy as np


def ratio(slow: np.ndarray, fast: np.ndarray) -> tuple[float, float, float]:
    """Return median, lower and upper quartile of slow / fast, computed round by round."""
    middle, low, high = np.percentile(slow / fast, (50, 25, 75))
    return float(middle), float(low), float(high)


def ratio_cell(quartiles: Sequence[float] | None) -> str:
    """Return the result of `ratio` as one cell of a table, or a dash if there is none."""
    if quartiles is None:
        return "-"
    middle, low, high = quartiles
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
