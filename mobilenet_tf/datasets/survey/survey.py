"""Look at the pictures of a source as a whole, before a network is trained on them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Progress
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.labelled import Labelled
from mobilenet_tf.datasets.sources.folder import list_folder
from mobilenet_tf.datasets.splitting import assign_splits
from mobilenet_tf.datasets.survey.facts import Facts
from mobilenet_tf.datasets.survey.findings import Finding, findings


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        labelled: The files, arranged.
        splits: Split -> indices of its images; empty if there is a problem.
        problem: Why no network can be trained on the source, as a sentence; empty if one can.
    """

    labelled: Labelled
    splits: Mapping[str, Sequence[int]]
    problem: str = ""

    @property
    def readable(self) -> list[Facts]:
        """Facts of the pictures that can be read."""
        return [one for one in self.labelled.facts or () if not isinstance(one, str)]

    def findings(self) -> list[Finding]:
        """Return what is to be said about the pictures, the worst first."""
        return findings(self.labelled.listing, self.labelled.facts or (), self.splits)

    def balance(self) -> dict[str, dict[str, int]]:
        """Return class -> split -> number of images; the split is "all" where there is none."""
        listing = self.labelled.listing
        splits = self.splits or {"all": range(len(listing))}
        counts = {
            split: Counter(listing.labels[row] for row in rows) for split, rows in splits.items()
        }
        return {
            name: {split: found[label] for split, found in counts.items()}
            for label, name in enumerate(listing.classes)
        }


def survey(
    source: str, arrangement: Arrangement, seed: int = 0, progress: Progress | None = None
) -> Survey:
    """Measure all pictures of a source, and assign them to splits as a run does.

    Args:
        source: A folder with a folder of images per class, a table, or a .zip of them.
        arrangement: Groups, and the order of the classes.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such source, or it has fewer than two classes.
    """
    labelled = list_folder(source)
    with Decoders(len(labelled.listing)) as decoders:
        labelled = labelled.arranged(arrangement, decoders, progress)
    known = enumerate(labelled.facts or ())
    rows = np.array([row for row, one in known if not isinstance(one, str)], int)
    try:
        chosen = assign_splits(labelled.listing.subset(rows), seed)
    except UserError as error:
        return Survey(labelled, {}, str(error))
    return Survey(labelled, {split: rows[part].tolist() for split, part in chosen.items()})
