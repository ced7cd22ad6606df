"""The accuracy to expect of a network at an alpha and a size, from published ImageNet results.

`imagenet_top1.csv` has the top-1 accuracy of float networks in per cent, each with the recipe that
trained it and its source. Recipes differ by up to three points on the same network, so a comparison
uses one recipe wherever its grid has the network. `curves` computes what lies between and beyond
the published values. The result is a guide for choosing among configurations, not a promise for
other data; its error is measured by leaving published values out.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations
from math import hypot, sqrt
from statistics import fmean

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.curves import (
    EXTRAPOLATED,
    INTERPOLATED,
    PUBLISHED,
    Curves,
    Guess,
    Published,
)
from mobilenet_tf.networks.rows import Network


@dataclass(frozen=True)
class Estimate:
    """The accuracy to expect of a network.

    Attributes:
        top1: ImageNet top-1 accuracy in per cent.
        basis: `published`, `interpolated` or `extrapolated`; see `Guess`.
        error: Typical error in points: that of guesses at published values which were left out,
            at the same distance from the nearest value that was not. 0 for published values. If
            another recipe was asked for, also the difference that recipes make.
        recipe: Recipe of the values that it rests on.
    """

    top1: float
    basis: str
    error: float
    recipe: str


@dataclass(frozen=True)
class LeftOut:
    """A published value and what is guessed without it."""

    row: Published
    guess: Guess

    @property
    def error(self) -> float:
        """Guessed minus published accuracy, in points."""
        return self.guess.top1 - self.row.top1


@cache
def published() -> tuple[Published, ...]:
    """Return all published accuracies."""
    return tuple(
        Published(
            row["name"],
            float(row["alpha"]),
            int(row["size"]),
            float(row["top1"]),
            row["recipe"],
            row["source"],
        )
        for row in _read("imagenet_top1.csv")
    )


@cache
def recipes() -> dict[str, str]:
    """Return recipe -> what it is, in words."""
    return {row["recipe"]: row["title"] for row in _read("imagenet_recipes.csv")}


def _read(name: str) -> list[dict[str, str]]:
    text = (resources.files("mobilenet_tf.networks.published") / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _curves() -> Curves:
    return Curves(published())


def has_accuracy(name: str) -> bool:
    """Return whether an accuracy was published of a network."""
    return any(row.name == name for row in published())


def expected_top1(name: str, alpha: float, size: int, recipe: str | None = None) -> Estimate:
    """Return the expected top-1 accuracy on ImageNet.

    Args:
        name: Name of the network.
        alpha: Width multiplier.
        size: Side of the input in pixels.
        recipe: Recipe to use; see `common_recipe`. If it does not have the network, the one with
            most values of the network is used. None prefers one that has this very value.

    Raises:
        UserError: No accuracy was published of this network.
    """
    own = [row for row in published() if row.name == name]
    if not own:
        names = ", ".join(dict.fromkeys(row.name for row in published()))
        raise UserError(f"No ImageNet accuracy is known of {name!r}, only of {names}.")
    known = [row.recipe for row in own]
    exact = [row.recipe for row in own if (row.alpha, row.size) == (alpha, size)]
    other = recipe is not None and recipe not in known
    if recipe not in known:
        recipe = exact[0] if exact and not other else max(known, key=known.count)
    guess = _curves().guess(recipe, name, alpha, size)
    error = hypot(typical_error(guess), recipe_error() if other else 0.0)
    return Estimate(guess.top1, guess.basis, error, recipe)


@cache
def recipe_error() -> float:
    """Return by how many points two recipes typically differ on one network, alpha and size."""
    differences = [
        one.top1 - other.top1
        for one, other in combinations(published(), 2)
        if (one.name, one.alpha, one.size) == (other.name, other.alpha, other.size)
    ]
    return sqrt(fmean(difference**2 for difference in differences))


def typical_error(guess: Guess) -> float:
    """Return the error in points that guesses as far from published values have."""
    rates = _errors_per_octave()[guess.basis]
    return hypot(*(rate * away for rate, away in zip(rates, guess.octaves, strict=True)))


def common_recipe(networks: Iterable[Network]) -> str:
    """Return the recipe whose grid covers most of the networks: name, and alpha within its range.

    The sizes play no part: all recipes but two were published at one size.
    """
    grids = _curves().grids
    covered = dict.fromkeys(recipes(), 0)
    for network in networks:
        for (recipe, name), grid in grids.items():
            inside = grid.alphas[0] <= network.alpha <= grid.alphas[-1]
            covered[recipe] += name == network.name and inside
    return max(covered, key=lambda recipe: covered[recipe])


@cache
def _errors_per_octave() -> dict[str, tuple[float, float]]:
    """Return basis -> error in points per octave of alpha, and per octave of size."""
    found = {PUBLISHED: (0.0, 0.0)}
    for basis in (INTERPOLATED, EXTRAPOLATED):
        cases = [case for case in leave_out() if case.guess.basis == basis]
        found[basis] = _rate(cases, 0), _rate(cases, 1)
    return found


def _rate(cases: Iterable[LeftOut], axis: int) -> float:
    """Return the error per octave along one axis, of the cases that lie along it."""
    along = [case for case in cases if case.guess.octaves[1 - axis] == 0]
    octaves = sqrt(sum(case.guess.octaves[axis] ** 2 for case in along))
    return sqrt(sum(case.error**2 for case in along)) / octaves


@cache
def leave_out() -> tuple[LeftOut, ...]:
    """Return guesses at every published value without it, and without all that lie beyond it.

    Each value is left out alone, which mostly tests interpolation; with all values of its network
    that are as narrow or narrower; and with all that are as small or smaller.
    """
    return tuple(
        LeftOut(row, Curves(rest).guess(row.recipe, row.name, row.alpha, row.size))
        for row in published()
        for rest in _rests(row)
    )


def _rests(row: Published) -> Iterator[list[Published]]:
    """Yield the tables without a value; at least one value of its network remains."""
    everything = published()
    beyond = (
        [other == row for other in everything],
        [other.name == row.name and other.alpha <= row.alpha for other in everything],
        [other.name == row.name and other.size <= row.size for other in everything],
    )
    for left_out in dict.fromkeys(map(tuple, beyond)):
        rest = [other for other, out in zip(everything, left_out, strict=True) if not out]
        if any((other.recipe, other.name) == (row.recipe, row.name) for other in rest):
            yield rest
