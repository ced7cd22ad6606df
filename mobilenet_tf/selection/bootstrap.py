"""Confidence intervals of accuracies and of their differences: a paired bootstrap.

A replicate draws pictures and seeds with replacement, the same ones for every network, so that what
is difficult for all of them does not widen the interval of a difference.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

REPLICATES = 2000
_LOW, _HIGH = 2.5, 97.5  # percentiles
_BLOCK = 50  # replicates that are computed at once, to bound the memory

Correct = Mapping[str, bool]  # name of a test picture -> whether it was classified correctly


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and pictures with its 95 % interval."""

    mean: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


class Bootstrap:
    """Replicates of the accuracies of several networks.

    Args:
        outcomes: Key -> what was classified correctly with each seed. All have the same number of
            seeds; the test pictures may be others with another seed.
        replicates: Number of replicates.
        seed: Seed of the replicates.
    """

    def __init__(
        self,
        outcomes: Mapping[Hashable, Sequence[Correct]],
        replicates: int = REPLICATES,
        seed: int = 0,
    ):
        names = sorted({name for runs in outcomes.values() for run in runs for name in run})
        tables = {key: _table(runs, names) for key, runs in outcomes.items()}
        self._found = {key: float(_accuracy(*table)) for key, table in tables.items()}
        random = np.random.default_rng(seed)
        seeds = max(map(len, outcomes.values()), default=0)
        blocks: dict[Hashable, list[np.ndarray]] = {key: [] for key in tables}
        for start in range(0, replicates, _BLOCK):
            count = min(_BLOCK, replicates - start)
            pictures = random.multinomial(len(names), np.full(len(names), 1 / len(names)), count)
            drawn = random.integers(0, seeds, (count, seeds))
            for key, (correct, tested) in tables.items():
                blocks[key].append(_accuracy(correct, tested, pictures, drawn))
        self._replicates = {key: np.concatenate(parts) for key, parts in blocks.items()}

    def accuracy(self, key: Hashable) -> Interval:
        """Return the accuracy of a network, from 0 to 1."""
        return _interval(self._found[key], self._replicates[key])

    def difference(self, key: Hashable, other: Hashable) -> Interval:
        """Return the accuracy of one network minus that of another."""
        return self.mean_difference([(key, other)])

    def mean_difference(self, pairs: Sequence[tuple[Hashable, Hashable]]) -> Interval:
        """Return the mean over several pairs of networks of such a difference."""
        found = np.mean([self._found[one] - self._found[other] for one, other in pairs])
        replicates = [self._replicates[one] - self._replicates[other] for one, other in pairs]
        return _interval(float(found), np.mean(replicates, axis=0))


def _table(runs: Sequence[Correct], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return float (seeds, pictures): 1 where correct, and 1 where tested."""
    correct = np.array([[run.get(name, False) for name in names] for run in runs], float)
    tested = np.array([[name in run for name in names] for run in runs], float)
    return correct, tested


def _accuracy(
    correct: np.ndarray,
    tested: np.ndarray,
    pictures: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
) -> np.ndarray:
    """Return the mean over seeds of the share of tested pictures that are correct.

    Args:
        correct: (seeds, pictures).
        tested: (seeds, pictures).
        pictures: (replicates, pictures): how often each picture was drawn; once by default.
        seeds: (replicates, seeds): the seeds that were drawn; each once by default.
    """
    if pictures is None or seeds is None:
        return (correct.sum(axis=1) / tested.sum(axis=1)).mean()
    shares = (pictures @ correct.T) / np.maximum(pictures @ tested.T, 1)
    return np.take_along_axis(shares, seeds, axis=1).mean(axis=1)


def _interval(found: float, replicates: np.ndarray) -> Interval:
    low, high = np.percentile(replicates, (_LOW, _HIGH))
    return Interval(found, float(low), float(high))
