"""What accuracy to expect of a network at an alpha and a size, from the published ImageNet table.

`imagenet_top1.csv` has the top-1 accuracy of the released float checkpoints, in per cent. V1 and
V2 were published over a grid of alpha and size; V3 at size 224 and few alphas. Between published
values lies a straight line over the logarithms; where there are none, V2's trend stands in. It is
a guide for choosing among sizes, and never a promise for other data.
"""

import csv
from bisect import bisect_right
from functools import cache
from importlib import resources
from math import log

from mobilenet_tf.core.errors import UserError

PUBLISHED, INTERPOLATED, EXTRAPOLATED = "published", "interpolated", "extrapolated"
_TREND = "v2"  # the network whose grid is widest


@cache
def _published() -> dict[str, dict[float, dict[int, float]]]:
    """name -> alpha -> size -> top-1 in per cent."""
    found: dict[str, dict[float, dict[int, float]]] = {}
    text = (resources.files("mobilenet_tf.networks.published") / "imagenet_top1.csv").read_text(
        "utf-8"
    )
    for row in csv.DictReader(text.splitlines()):
        alphas = found.setdefault(row["name"], {})
        alphas.setdefault(float(row["alpha"]), {})[int(row["size"])] = float(row["top1"])
    return found


def expected_top1(name: str, alpha: float, size: int) -> tuple[float, str]:
    """Top-1 on ImageNet in per cent, and how it is known.

    Returns:
        (top1, basis): basis is `published`, `interpolated` (between published alphas or sizes of
        this network) or `extrapolated` (beyond them, with V2's trend).

    Raises:
        UserError: an unknown network.
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
        # Along its own edge: the straight line of the outermost two values goes on.
        return _line(grid, alphas, sizes, alpha, size), EXTRAPOLATED
    trend = expected_top1(_TREND, alpha, size)[0] / expected_top1(_TREND, *nearest)[0]
    return value * trend, EXTRAPOLATED


def _complete(grid: dict[float, dict[int, float]]) -> list[float]:
    """The alphas that have every size; V2's 1.3 and 1.4 have one."""
    most = max(map(len, grid.values()))
    return sorted(alpha for alpha, sizes in grid.items() if len(sizes) == most)


def _between(points: list, at: float, value) -> float:
    """A straight line over the logarithm, between the neighbours of `at`."""
    if len(points) == 1:
        return value(points[0])
    right = min(max(bisect_right(points, at), 1), len(points) - 1)
    low, high = points[right - 1], points[right]
    share = log(at / low) / log(high / low)
    return value(low) + share * (value(high) - value(low))


def _line(grid, alphas, sizes, alpha, size) -> float:
    """Straight lines along size, then along alpha; beyond the last values they go on."""
    return _between(alphas, alpha, lambda a: _between(sizes, size, lambda s: grid[a][int(s)]))
