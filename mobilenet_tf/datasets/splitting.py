"""Assign the images of a source to the training, validation and test splits."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.dataset import SPLITS

# Share of each class's training images that is held out for a split that the source lacks.
HELD_OUT = 0.15


@dataclass(frozen=True, eq=False)
class Listing:
    """The images of a source, before any of them is decoded.

    Attributes:
        classes: Names of the classes.
        names: Name of each image.
        labels: Label of each image, an index into `classes`.
        splits: Split of each image according to the source, one of `SPLITS`; "train" if the source
            has no splits.
    """

    classes: tuple[str, ...]
    names: Sequence[str]
    labels: Sequence[int]
    splits: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)


def assign_splits(listing: Listing, seed: int) -> dict[str, np.ndarray]:
    """Decide which images train, validate and test.

    A split of the source is used as it is. A missing split receives 15 % of each class's training
    images, at least one. The choice depends only on the seed and on a hash of each image's name,
    so an image keeps its split when others are added or files are listed in another order.

    Args:
        listing: Images of the source.
        seed: Another seed chooses other images.

    Returns:
        Indices of the images of each split, sorted by name.

    Raises:
        UserError: There are fewer than two classes, or a class has too few images.
    """
    if len(listing.classes) < 2:
        raise UserError(f"The dataset has {len(listing.classes)} class; at least 2 are needed.")
    names, labels, splits = listing.names, np.asarray(listing.labels), np.asarray(listing.splits)
    missing = [split for split in SPLITS[1:] if split not in splits]
    chosen = {split: np.flatnonzero(splits == split).tolist() for split in SPLITS}
    chosen["train"] = []
    for label, class_name in enumerate(listing.classes):
        members = np.flatnonzero((labels == label) & (splits == "train")).tolist()
        if len(members) <= len(missing):
            raise UserError(
                f"Class {class_name!r} has {len(members)} training images; at least "
                f"{1 + len(missing)} are needed{' to train, validate and test' * bool(missing)}."
            )
        members.sort(key=lambda index: _rank(names[index], seed))
        share = max(1, int(HELD_OUT * len(members) + 0.5))
        for split in missing:
            chosen[split] += members[:share]
            members = members[share:]
        chosen["train"] += members
    return {
        split: np.array(sorted(indices, key=lambda index: names[index]), int)
        for split, indices in chosen.items()
    }


def _rank(name: str, seed: int) -> bytes:
    # macOS stores an accent as a separate character, Linux does not.
    name = unicodedata.normalize("NFC", name)
    return hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()
