"""Published accuracies as curves over alpha and size, and what is expected between and beyond them.

Everything is computed with logits of the accuracy over the logarithms of alpha and size. There, the
published networks are so alike that the mean curve of the others is a good guess for a network that
was published at one alpha, or at one size.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, log, log2
from statistics import fmean

PUBLISHED, INTERPOLATED, EXTRAPOLATED = "published", "interpolated", "extrapolated"
Cell = tuple[float, int]  # alpha, size
_CURVE = 3  # alphas or sizes from which on a network's curve is a guide for other networks


@dataclass(frozen=True)
class Published:
    """One published accuracy.

    Attributes:
        name: Name of the network in the zoo.
        alpha: Width multiplier.
        size: Side of the input in pixels, as it was evaluated.
        top1: ImageNet top-1 accuracy of the float network, in per cent.
        recipe: How it was trained: a key of `imagenet_recipes.csv`.
        source: Where it was published.
    """

    name: str
    alpha: float
    size: int
    top1: float
    recipe: str
    source: str


@dataclass(frozen=True)
class Guess:
    """An expected accuracy.

    Attributes:
        top1: ImageNet top-1 accuracy in per cent.
        basis: `published`; `interpolated` within the alphas and sizes of this network; or
            `extrapolated` beyond them.
        octaves: Distance to the nearest published value of the recipe, in octaves of alpha and
            of size.
    """

    top1: float
    basis: str
    octaves: tuple[float, float]


@dataclass(frozen=True)
class Grid:
    """The logits that were published of one network with one recipe."""

    logits: dict[Cell, float]

    @cached_property
    def base(self) -> int:
        """The size at which most alphas were published."""
        sizes = [size for _, size in self.logits]
        return max(sizes, key=lambda size: (sizes.count(size), size))

    @cached_property
    def alphas(self) -> list[float]:
        """The alphas that were published at the base size."""
        return sorted(alpha for alpha, size in self.logits if size == self.base)

    @cached_property
    def sizes(self) -> list[int]:
        """All sizes, if an alpha was published at all of them; otherwise the base size."""
        sizes = sorted({size for _, size in self.logits})
        whole = any(self._has(alpha, sizes) for alpha, _ in self.logits)
        return sizes if whole else [self.base]

    @cached_property
    def complete(self) -> list[float]:
        """The alphas that were published at every one of the sizes."""
        return [alpha for alpha in self.alphas if self._has(alpha, self.sizes)]

    def _has(self, alpha: float, sizes: Iterable[int]) -> bool:
        return all((alpha, size) in self.logits for size in sizes)

    def over_alpha(self, alpha: float) -> float:
        """Return the logit at the base size; the line through the last two values continues."""
        return _line(self.alphas, alpha, lambda known: self.logits[known, self.base])

    def over_size(self, alpha: float, size: float) -> float:
        """Return the logit at a size; the curve of the nearest alpha holds beyond the last one."""
        within = min(max(alpha, self.complete[0]), self.complete[-1])
        return _line(
            self.complete,
            within,
            lambda a: _line(self.sizes, size, lambda s: self.logits[a, int(s)]),
        )


class Curves:
    """All published accuracies.

    Args:
        rows: The rows of the table.
    """

    def __init__(self, rows: Iterable[Published]):
        cells: dict[tuple[str, str], dict[Cell, float]] = {}
        for row in rows:
            grid = cells.setdefault((row.recipe, row.name), {})
            grid[row.alpha, row.size] = _logit(row.top1)
        self.grids = {key: Grid(grid) for key, grid in cells.items()}

    def guess(self, recipe: str, name: str, alpha: float, size: int) -> Guess:
        """Return the accuracy to expect of a network that the recipe's grid has.

        Within the network's own alphas and sizes, its curves are used; that over size may be from
        another recipe, because most recipes have one size. Beyond them, the mean curve of the
        other networks continues.
        """
        grid = self.grids[recipe, name]
        if (alpha, size) in grid.logits:
            return Guess(_per_cent(grid.logits[alpha, size]), PUBLISHED, (0.0, 0.0))
        width = _within(grid.alphas, alpha)
        value = grid.over_alpha(width) + self._alpha_effect(name, width, alpha)
        # A grid of one size knows nothing of sizes; the same network's grid may, elsewhere.
        grids = [grid, *(other for (_, own), other in self.grids.items() if own == name)]
        sized = max(grids, key=lambda other: len(other.sizes) > 1)
        start, end = _within(sized.sizes, grid.base), _within(sized.sizes, size)
        value += sized.over_size(alpha, end) - sized.over_size(alpha, start)
        value += self._size_effect(name, alpha, grid.base, start)
        value += self._size_effect(name, alpha, end, size)
        inside = (width, end) == (alpha, size)
        away = ((abs(log2(alpha / a)), abs(log2(size / s))) for a, s in grid.logits)
        return Guess(_per_cent(value), INTERPOLATED if inside else EXTRAPOLATED, min(away, key=sum))

    def _alpha_effect(self, name: str, before: float, after: float) -> float:
        """Return by how much the logit of other networks changes with alpha, on average."""
        others = (grid for grid in self._others(name) if len(grid.alphas) >= _CURVE)
        return fmean(grid.over_alpha(after) - grid.over_alpha(before) for grid in others)

    def _size_effect(self, name: str, alpha: float, before: float, after: float) -> float:
        """Return by how much the logit of other networks changes with the size, on average."""
        others = (grid for grid in self._others(name) if len(grid.sizes) >= _CURVE)
        return fmean(
            grid.over_size(alpha, after) - grid.over_size(alpha, before) for grid in others
        )

    def _others(self, name: str) -> Iterator[Grid]:
        return (grid for (_, other), grid in self.grids.items() if other != name)


def _within(points: Sequence[float], at: float) -> float:
    return min(max(at, points[0]), points[-1])


def _logit(per_cent: float) -> float:
    return log(per_cent / (100 - per_cent))


def _per_cent(logit: float) -> float:
    return 100 / (1 + exp(-logit))


def _line(points: Sequence[float], at: float, value: Callable[[float], float]) -> float:
    """Interpolate linearly over the logarithm between the neighbours of `at`, or continue."""
    if len(points) == 1:
        return value(points[0])
    right = min(max(bisect_right(points, at), 1), len(points) - 1)
    low, high = points[right - 1], points[right]
    share = log(at / low) / log(high / low)
    return value(low) + share * (value(high) - value(low))
