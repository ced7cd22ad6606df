"""The accuracy to expect of a network at an alpha and a size, from the published ImageNet table.

`imagenet_top1.csv` has the top-1 accuracy of the released float checkpoints in per cent. V1 and V2
were published over a grid of alpha and size, V3 at size 224 and few alphas. Values in between are
interpolated linearly over the logarithms of alpha and size; beyond the table, V2's trend is used.
The result is a guide for choosing among configurations, not a promise for other data.
"""

import csv
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from math import log

from mobilenet_tf.core.errors import UserError

PUBLISHED, INTERPOLATED, EXTRAPOLATED = "published", "interpolated", "extrapolated"
Grid = dict[float, dict[int, float]]  # alpha -> size -> top-1 in per cent
_TREND = "v2"  # the network whose grid is widest


@cache
def _published() -> dict[str, Grid]:
    """Return name -> alpha -> size -> top-1 in per cent."""
    found: dict[str, Grid] = {}
    text = (resources.files("mobilenet_tf.networks.published") / "imagenet_top1.csv").read_text(
        "utf-8"
    )
    for row in csv.DictReader(text.splitlines()):
        alphas = found.setdefault(row["name"], {})
        alphas.setdefault(float(row["alpha"]), {})[int(row["size"])] = float(row["top1"])
    return found


def expected_top1(name: str, alpha: float, size: int) -> tuple[float, str]:
    """Return the expected top-1 accuracy on ImageNet in per cent, and what it rests on.

    Returns:
        (top1, basis): The basis is `published`, `interpolated` (between published alphas or sizes
        of this network) or `extrapolated` (beyond them, with V2's trend).

    Raises:
        UserError: The network has no published accuracy.
    """
    if name not in _published():
        names = ", ".join(_published())
        raise UserError(f"There is no model named {name!r}; the names are {names}.")
    grid = _published()[name]
    if size in grid.get(alpha, {}):
        return grid[alpha][size], PUBLISHED
    alphas = _complete(grid)
    sizes = sorted(grid[alphas[0]])
    nearest = min(max(alpha, alphas[0]), alphas[-1]), min(max(size, sizes[0]), sizes[-1])
    value = _line(grid, alphas, sizes, *nearest)
    if nearest == (alpha, size):
        return value, INTERPOLATED
    if name == _TREND:
        # The line through the outermost two values continues.
        return _line(grid, alphas, sizes, alpha, size), EXTRAPOLATED
    trend = expected_top1(_TREND, alpha, size)[0] / expected_top1(_TREND, *nearest)[0]
    return value * trend, EXTRAPOLATED


def _complete(grid: Grid) -> list[float]:
    """Return the alphas published at every size; V2's 1.3 and 1.4 have one size."""
    most = max(map(len, grid.values()))
    return sorted(alpha for alpha, sizes in grid.items() if len(sizes) == most)


def _between(points: Sequence[float], at: float, value: Callable[[float], float]) -> float:
    """Interpolate linearly over the logarithm between the neighbours of `at`."""
    if len(points) == 1:
        return value(points[0])
    right = min(max(bisect_right(points, at), 1), len(points) - 1)
    low, high = points[right - 1], points[right]
    share = log(at / low) / log(high / low)
    return value(low) + share * (value(high) - value(low))


def _line(
    grid: Grid, alphas: Sequence[float], sizes: Sequence[float], alpha: float, size: float
) -> float:
    """Interpolate along size, then along alpha; lines continue beyond the last values."""
    return _between(alphas, alpha, lambda a: _between(sizes, size, lambda s: grid[a][int(s)]))
