"""Assign the images of a source to the training, validation and test splits."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.dataset import SPLITS
from mobilenet_tf.datasets.shares import Shares, bundles

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
        together: Number of each image; a split that the source lacks never separates images with
            the same one, such as those of a person. None if each image stands alone.
        alike: The same for near duplicates, which are separated where a class would otherwise have
            no images for a split.
    """

    classes: tuple[str, ...]
    names: Sequence[str]
    labels: Sequence[Any]
    splits: Sequence[str] | None = None
    stratified: bool = True
    held_out: frozenset[int] = frozenset()
    together: Sequence[int] | None = None
    alike: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def groups(self) -> np.ndarray:
        """Group of each image (N,): its class, or 0 where the groups are not stratified."""
        return np.asarray(self.labels, int) if self.stratified else np.zeros(len(self), int)

    @property
    def companions(self) -> dict[str, int]:
        """Name of an image -> number of its group and near duplicates, if it has any."""
        several = [
            rows for rows in bundles(range(len(self)), self.together, self.alike) if rows[1:]
        ]
        return {self.names[row]: number for number, rows in enumerate(several) for row in rows}

    def subset(self, rows: np.ndarray) -> "Listing":
        """Return the images at these indices."""

        def chosen(values: Sequence[Any]) -> list[Any]:
            return [values[row] for row in rows]

        return replace(
            self,
            names=chosen(self.names),
            labels=chosen(self.labels),
            splits=self.splits and chosen(self.splits),
            together=self.together and chosen(self.together),
            alike=self.alike and chosen(self.alike),
        )

    def with_present_classes(self) -> "Listing":
        """Return the listing without classes that have no images, where labels are classes."""
        if not self.stratified:
            return self
        present = sorted(set(self.labels))
        places = {label: place for place, label in enumerate(present)}
        return replace(
            self,
            classes=tuple(self.classes[label] for label in present),
            labels=[places[label] for label in self.labels],
            held_out=frozenset(places[label] for label in self.held_out if label in places),
        )


def group_numbers(groups: Sequence[str]) -> list[int] | None:
    """Return `Listing.together` for the names of the images' groups, "" for none."""
    if not any(groups):
        return None
    numbers: dict[object, int] = {}
    keys = (group or index for index, group in enumerate(groups))
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def assign_splits(listing: Listing, seed: int) -> dict[str, np.ndarray]:
    """Decide which images train, validate and test.

    A split of the source is used as it is. A missing split receives about 15 % of the training
    images of each class, or of all of them where labels are no classes; at least one. The choice
    depends only on the seed and on hashes of the images' names, so an image keeps its split when
    others are added or files are listed in another order.

    Images that belong together stand in the order of the first of them; they go to the first
    missing split that they bring closer to its share of their classes. Where each image stands
    alone, the share is exact.

    Args:
        listing: Images of the source.
        seed: Another seed chooses other images.

    Returns:
        Indices of the images of each split, sorted by name.

    Raises:
        UserError: There are fewer than two classes, or a class has too few images or groups.
    """
    if listing.stratified and len(listing.classes) < 2:
        raise UserError(f"The dataset has {len(listing.classes)} class; at least 2 are needed.")
    names, groups = listing.names, listing.groups
    splits = np.asarray(["train"] * len(listing) if listing.splits is None else listing.splits)
    if listing.held_out:
        unseen = np.isin(groups, list(listing.held_out))
        splits = np.where(unseen, "test", np.where(splits == "test", "", splits))
    missing = [split for split in SPLITS[1:] if split not in splits]
    chosen = {split: np.flatnonzero(splits == split).tolist() for split in SPLITS}
    counts = np.bincount(groups[chosen["train"]], minlength=_number_of_groups(listing))
    for group, count in enumerate(counts.tolist()):
        if group not in listing.held_out and count <= len(missing):
            raise UserError(
                f"{_owner(listing, group)} has {count} training images; at least "
                f"{1 + len(missing)} are needed{' to train, validate and test' * bool(missing)}."
            )
    chosen |= _held_out(listing, chosen["train"], missing, seed)
    return {
        split: np.array(sorted(indices, key=lambda index: names[index]), int)
        for split, indices in chosen.items()
    }


def _held_out(
    listing: Listing, rows: list[int], missing: list[str], seed: int
) -> dict[str, list[int]]:
    """Divide these images into train and the missing splits."""
    groups, alike, separated = listing.groups.tolist(), listing.alike, set[int]()
    rows = sorted(rows, key=lambda row: _rank(listing.names[row], seed))
    while True:
        shares = Shares(Counter(groups[row] for row in rows), missing, HELD_OUT)
        for bundle in bundles(rows, listing.together, alike):
            shares.add(bundle, Counter(groups[row] for row in bundle))
        absent = shares.complete()
        if absent is None:
            return shares.images()
        apart = [row for row in rows if groups[row] == absent]
        if alike is None or absent in separated:
            raise UserError(
                f"The {len(apart)} training images of {_owner(listing, absent)} belong to too few "
                f"groups; at least {1 + len(missing)} are needed to train, validate and test."
            )
        alike = [*alike]
        for row in apart:  # rather near duplicates in two splits than a class in one only
            alike[row] = len(listing) + row
        separated.add(absent)


def _number_of_groups(listing: Listing) -> int:
    return len(listing.classes) if listing.stratified else 1


def _owner(listing: Listing, group: int) -> str:
    return f"Class {listing.classes[group]!r}" if listing.stratified else "The dataset"


def _rank(name: str, seed: int) -> bytes:
    # macOS stores an accent as a separate character, Linux does not.
    name = unicodedata.normalize("NFC", name)
    return hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()
