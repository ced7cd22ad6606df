"""Divide images into splits such that those which belong together stay together."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple


def bundles(rows: Sequence[int], *numbers: Sequence[int] | None) -> list[list[int]]:
    """Return the images that belong together, as lists.

    Args:
        rows: Indices of the images, which decide the order of the lists and in them.
        numbers: Several numbers of all images; those with an equal number belong together, and so
            do those that a chain of such images connects. None connects nothing.
    """
    parent = {row: row for row in rows}

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    for known in numbers:
        first: dict[int, int] = {}
        for row in rows if known is not None else ():
            assert known is not None
            parent[root(row)] = root(first.setdefault(known[row], row))
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(root(row), []).append(row)
    return list(found.values())


class Bundle(NamedTuple):
    """Images that belong together, and how many of them each class has."""

    rows: list[int]
    counts: Mapping[int, int]


class Shares:
    """The splits that receive a share of some images, and `train`, which receives the rest.

    Args:
        counts: Number of the images of each class.
        splits: Names of the splits besides train.
        share: Share of each class that each of these splits receives; at least one image.
    """

    def __init__(self, counts: Mapping[int, int], splits: Sequence[str], share: float) -> None:
        wanted = {label: max(1, int(share * count + 0.5)) for label, count in counts.items()}
        self._lacking = {split: dict(wanted) for split in splits}
        self._held: dict[str, list[Bundle]] = {split: [] for split in ("train", *splits)}

    def add(self, rows: list[int], counts: Mapping[int, int]) -> None:
        """Put images that belong together into the first split that they bring closer to its share.

        Args:
            rows: The images.
            counts: Their number by class.
        """
        chosen = "train"
        for split, lacking in self._lacking.items():
            before = sum(abs(lacking[label]) for label in counts)
            after = sum(abs(lacking[label] - count) for label, count in counts.items())
            if after < before:
                for label, count in counts.items():
                    lacking[label] -= count
                chosen = split
                break
        self._held[chosen].append(Bundle(rows, counts))

    def complete(self) -> int | None:
        """Give each split images of each class, moving as few as possible.

        Returns:
            A class whose images belong to too few bundles; None if there is none.
        """
        classes = sorted(
            {label for held in self._held.values() for one in held for label in one[1]}
        )
        for _split, held in self._held.items():
            present = {label for one in held for label in one.counts}
            for label in classes:
                if label in present:
                    continue
                spare = list(self._spare(label))
                if not spare:
                    return label
                origin, moved = min(spare, key=lambda found: len(found[1].rows))
                self._held[origin].remove(moved)
                held.append(moved)
                present |= moved.counts.keys()
        return None

    def _spare(self, label: int) -> Iterator[tuple[str, Bundle]]:
        """Yield the bundles with a class, and their splits, that leave no class of theirs bare."""
        for split, held in self._held.items():
            bundles_of = Counter(label for one in held for label in one.counts)
            for one in held:
                if label in one.counts and all(bundles_of[known] > 1 for known in one.counts):
                    yield split, one

    def images(self) -> dict[str, list[int]]:
        """Return the images of each split."""
        return {
            split: [row for one in held for row in one.rows] for split, held in self._held.items()
        }
