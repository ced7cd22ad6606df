"""Look at the pictures of a source as a whole, before a network is trained on them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Progress
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.labelled import Labelled
from mobilenet_tf.datasets.placed import UnusableLabel
from mobilenet_tf.datasets.splitting import assign_splits
from mobilenet_tf.datasets.survey.facts import SIDE, Facts
from mobilenet_tf.datasets.survey.findings import Finding, findings, labels

_WHOLE = InputSpec(SIDE, fit="stretch")  # in which no label is cut off


@dataclass(frozen=True)
class Labels:
    """What became of the labels of the readable pictures.

    Attributes:
        classes: Index of a picture -> the classes that it shows.
        refused: Index of another one -> why its label cannot be used, a clause.
        repaired: Index of a picture -> what is repaired of its label, clauses.
    """

    classes: dict[int, Sequence[int]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    repaired: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        labelled: The files, arranged.
        labels: What became of their labels.
        splits: Split -> indices of its images; empty if there is a problem.
        problem: Why no network can be trained on the source, as a sentence; empty if one can.
    """

    labelled: Labelled
    labels: Labels
    splits: Mapping[str, Sequence[int]]
    problem: str = ""

    @property
    def readable(self) -> list[Facts]:
        """Facts of the pictures that can be read."""
        return [one for one in self.labelled.facts or () if not isinstance(one, str)]

    def findings(self) -> list[Finding]:
        """Return what is to be said about the pictures, the worst first."""
        listing = self.labelled.listing
        return [
            *labels(listing.names, refused=self.labels.refused, repaired=self.labels.repaired),
            *findings(listing, self.labelled.facts or (), self.splits),
        ]

    def balance(self) -> dict[str, dict[str, int]]:
        """Return class -> split -> number of images; the split is "all" where there is none."""
        known = self.labels.classes
        counts = {
            split: Counter(label for row in rows for label in known[row])
            for split, rows in (self.splits or {"all": list(known)}).items()
        }
        return {
            name: {split: found[label] for split, found in counts.items()}
            for label, name in enumerate(self.labelled.listing.classes)
        }


def imbalance(balance: Mapping[str, Mapping[str, int]]) -> str:
    """Return how much larger the largest class is than the smallest, as a sentence.

    Args:
        balance: As `Survey.balance` returns it; "" is returned where a class has no pictures.
    """
    totals = [sum(counts.values()) for counts in balance.values()]
    if not totals or not min(totals):
        return ""
    ratio = max(totals) / min(totals)
    return f"The largest class has {ratio:.1f} times the pictures of the smallest."


def survey(
    labelled: Labelled, arrangement: Arrangement, seed: int = 0, progress: Progress | None = None
) -> Survey:
    """Measure the pictures of a source, place their labels, and assign them to splits as runs do.

    Args:
        labelled: The files, before they are arranged.
        arrangement: Groups, and the order of the classes.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: See `Labelled.arranged`.
    """
    with Decoders(len(labelled.listing)) as decoders:
        labelled = labelled.arranged(arrangement, decoders, progress)
    found = _labels(labelled)
    rows = np.array(list(found.classes), int)
    try:
        chosen = assign_splits(labelled.listing.subset(rows), seed)
    except UserError as error:
        return Survey(labelled, found, {}, str(error))
    return Survey(labelled, found, {split: rows[part].tolist() for split, part in chosen.items()})


def _labels(labelled: Labelled) -> Labels:
    found = Labels()
    for row, facts in enumerate(labelled.facts or ()):
        if isinstance(facts, str):
            continue
        try:
            placed = labelled.place(labelled.listing.labels[row], _WHOLE.framing(facts.size))
        except UnusableLabel as error:
            found.refused[row] = str(error)
            continue
        found.classes[row] = placed.classes
        if placed.repairs:
            counted = Counter(placed.repairs).items()
            found.repaired[row] = "; ".join(
                f"{reason} ({count} times)" if count > 1 else reason for reason, count in counted
            )
    return found
