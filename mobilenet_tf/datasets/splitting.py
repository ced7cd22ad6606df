"""Assign the images of a source to the training, validation and test splits."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.dataset import SPLITS

# Share of the training images that is held out for a split that the source lacks.
HELD_OUT = 0.15


@dataclass(frozen=True, eq=False)
class Listing:
    """The images of a source, before any of them is decoded.

    Attributes:
        classes: Names of the classes.
        names: Name of each image.
        labels: Label of each image: an index into `classes`, or whatever the task learns.
        splits: Split of each image according to the source, one of `SPLITS`; None if the source
            has no splits.
        stratified: Whether labels are classes, each of which gives its share to a split that the
            source lacks.
        held_out: Labels of classes of which all images are for testing. The test split then has
            none of the others, and test images of the source that are of other classes are in no
            split.
    """

    classes: tuple[str, ...]
    names: Sequence[str]
    labels: Sequence[Any]
    splits: Sequence[str] | None = None
    stratified: bool = True
    held_out: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def groups(self) -> np.ndarray:
        """Group of each image (N,): its class, or 0 where the groups are not stratified."""
        return np.asarray(self.labels) if self.stratified else np.zeros(len(self), int)

    def subset(self, rows: np.ndarray) -> "Listing":
        """Return the images at these indices."""

        def chosen(values: Sequence[Any]) -> list[Any]:
            return [values[row] for row in rows]

        splits = None if self.splits is None else chosen(self.splits)
        return replace(self, names=chosen(self.names), labels=chosen(self.labels), splits=splits)


def assign_splits(listing: Listing, seed: int) -> dict[str, np.ndarray]:
    """Decide which images train, validate and test.

    A split of the source is used as it is. A missing split receives 15 % of the training images of
    each class, or of all of them where labels are no classes; at least one. The choice depends only
    on the seed and on a hash of each image's name, so an image keeps its split when others are
    added or files are listed in another order.

    Args:
        listing: Images of the source.
        seed: Another seed chooses other images.

    Returns:
        Indices of the images of each split, sorted by name.

    Raises:
        UserError: There are fewer than two classes, or a class has too few images.
    """
    if listing.stratified and len(listing.classes) < 2:
        raise UserError(f"The dataset has {len(listing.classes)} class; at least 2 are needed.")
    names, groups = listing.names, listing.groups
    splits = np.asarray(["train"] * len(listing) if listing.splits is None else listing.splits)
    if listing.held_out:
        unseen = np.isin(groups, list(listing.held_out))
        splits = np.where(unseen, "test", np.where(splits == "test", "", splits))
    owners = ["The dataset"]
    if listing.stratified:
        owners = [f"Class {name!r}" for name in listing.classes]
    missing = [split for split in SPLITS[1:] if split not in splits]
    chosen = {split: np.flatnonzero(splits == split).tolist() for split in SPLITS}
    chosen["train"] = []
    for group, owner in enumerate(owners):
        if group in listing.held_out:
            continue
        members = np.flatnonzero((groups == group) & (splits == "train")).tolist()
        if len(members) <= len(missing):
            raise UserError(
                f"{owner} has {len(members)} training images; at least "
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
