"""From picture files and their labels to a `Dataset`: the one path of all sources of files.

A source lists its files with their labels and decodes nothing. A label that has a place in the
picture, such as a box or a mask, follows the picture into the input by the source's function
`place`, which is told how the picture lies there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.corrections import corrected
from mobilenet_tf.datasets.dataset import (
    SPLITS,
    Dataset,
    Progress,
    Split,
    TestImages,
    stored_input,
)
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.deep import Extremes, notes_on_deep, usual_level
from mobilenet_tf.datasets.images import UnreadableImage
from mobilenet_tf.datasets.placed import Place, Placed, UnusableLabel, as_listed
from mobilenet_tf.datasets.plain import hardly_varies, notes_on_plain, printable
from mobilenet_tf.datasets.splitting import Listing, assign_splits
from mobilenet_tf.datasets.storage import Rows
from mobilenet_tf.datasets.survey.collect import measure
from mobilenet_tf.datasets.survey.duplicates import near_duplicates
from mobilenet_tf.datasets.survey.facts import Facts
from mobilenet_tf.datasets.survey.findings import notes_of_run


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """Picture files with their labels, before any is decoded.

    Attributes:
        source: Source as the user named it.
        root: Folder to which the names of the files are relative; they may be absolute, too.
        listing: The files.
        place: Makes a row of `Split.labels` of a label of the listing.
        skipped: {"file": ..., "reason": ...} of what has been left out already.
        facts: What is known of each file, or why it cannot be read; None before `arranged`.
    """

    source: str
    root: Path
    listing: Listing
    place: Place = as_listed
    skipped: Sequence[dict[str, str]] = ()
    facts: Sequence[Facts | str] | None = None

    def arranged(
        self, arrangement: Arrangement, decoders: Decoders, progress: Progress | None = None
    ) -> "Labelled":
        """Return the files with the labels, groups, near duplicates and classes of an arrangement.

        Files whose facts are known have been arranged already.

        Args:
            arrangement: The arrangement.
            decoders: Processes that decode the pictures to compare them.
            progress: Called with the number of finished images and of all images.

        Raises:
            UserError: See `corrected` and `Arrangement.arranged`.
        """
        if self.facts is not None:
            return self
        listing, left_out = corrected(self.listing, arrangement.corrections, self.root)
        listing = arrangement.arranged(listing, self.root)
        found = replace(self, listing=listing, skipped=[*self.skipped, *left_out])
        if not arrangement.find_duplicates:
            return found
        facts = measure(self.root, listing.names, decoders, progress)
        return replace(found, listing=replace(listing, alike=near_duplicates(facts)), facts=facts)


def read_dataset(
    labelled: Labelled,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Decode the pictures of a source and assign them to splits.

    What cannot be read is listed in `Dataset.skipped`. A missing validation or test split is taken
    from train.

    Args:
        labelled: The files.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: Whether the training images decide the white level of greys of more than 8
            bits, where `input_spec` has none.
        arrangement: Corrected labels, groups, duplicates, and the order of the classes.

    Raises:
        UserError: There are fewer than two classes, or too few readable images.
    """
    broken = dict[int, str]()
    with Decoders(len(labelled.listing)) as decoders:
        labelled = labelled.arranged(arrangement, decoders, progress)
        listing = labelled.listing
        groups = listing.groups
        while True:
            assigned = _assign(labelled, seed, broken)
            found = _decode(labelled, assigned, input_spec, decoders, progress)
            broken |= found.broken
            if any(
                len(set(groups[assigned[name]])) > len(set(groups[found.kept[name]]))
                for name in SPLITS
            ):
                continue  # all images of a class in one split are unreadable: assign again
            level = usual_level(
                found.deep[name] for name in found.splits["train"].names if name in found.deep
            )
            if input_spec.white_level is not None or level is None or not judge_depth:
                break
            input_spec = replace(input_spec, white_level=level)  # and decode with it
    return Dataset(
        labelled.source,
        listing.classes,
        train=found.splits["train"],
        validation=found.splits["validation"],
        test=found.splits["test"],
        skipped=[*labelled.skipped, *_skipped(listing, broken)],
        repaired=found.repaired,
        notes=[*found.notes(input_spec), *notes_of_run(listing, labelled.facts, found.kept)],
        together={printable(name): number for name, number in listing.companions.items()},
        white_level=input_spec.white_level,
    )


def read_test(
    labelled: Labelled,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> TestImages:
    """Decode the pictures on which a finished model is evaluated.

    These are all pictures of a source without splits; otherwise those of its test split or, if it
    has none, those that training with this seed would hold out.

    Args:
        labelled: The files.
        input_spec: Input of the model.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        arrangement: As for `read_dataset`, where test images are held out.

    Raises:
        UserError: No image can be read.
    """
    listing = labelled.listing
    rows = np.arange(len(listing))
    with Decoders(len(rows)) as decoders:
        if "test" in (listing.splits or ()):
            rows = rows[np.asarray(listing.splits) == "test"]
        elif "train" in (listing.splits or ()):
            arranged = labelled.arranged(replace(arrangement, classes=()), decoders, progress)
            rows = assign_splits(arranged.listing.with_present_classes(), seed)["test"]
        found = _decode(labelled, {"test": rows}, input_spec, decoders, progress)
    images = found.splits["test"]
    if not len(images):
        raise UserError(f"{labelled.root} has no readable images with labels; it needs some.")
    skipped = [*labelled.skipped, *_skipped(listing, found.broken)]
    return TestImages(images, skipped, found.notes(input_spec), found.repaired)


def repaired(name: str, placed: Placed) -> list[dict[str, str]]:
    """Return the entries of a picture in `Dataset.repaired`."""
    return [{"file": name, "reason": reason} for reason in placed.repairs]


@dataclass
class _Found:
    """What decoding has found.

    Attributes:
        splits: The readable images.
        kept: Their indices in the listing.
        broken: Index -> why another one is left out.
        repaired: As in `Dataset`.
        plain: Names of images in which there is nothing to see.
        deep: Name -> extremes of greys of more than 8 bits.
    """

    splits: dict[str, Split] = field(default_factory=dict)
    kept: dict[str, list[int]] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    repaired: list[dict[str, str]] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    deep: dict[str, Extremes] = field(default_factory=dict)

    def notes(self, input_spec: InputSpec) -> list[str]:
        """Return what the user should know about the images."""
        deep = notes_on_deep(self.deep, input_spec.white_level)
        return [*deep, *notes_on_plain(sorted(self.plain))]


def _assign(labelled: Labelled, seed: int, broken: dict[int, str]) -> dict[str, np.ndarray]:
    """Assign the files that are not broken to splits; return their indices."""
    listing = labelled.listing
    usable = np.array([row for row in range(len(listing)) if row not in broken], int)
    try:
        chosen = assign_splits(listing.subset(usable), seed)
    except UserError as error:
        if not broken:
            raise
        row, reason = next(iter(broken.items()))
        raise UserError(
            f"{str(error).rstrip('.')}; {len(broken)} could not be read, such as "
            f"{labelled.root / listing.names[row]}: {reason}."
        ) from error
    return {name: usable[rows] for name, rows in chosen.items()}


def _decode(
    labelled: Labelled,
    assigned: dict[str, np.ndarray],
    input_spec: InputSpec,
    decoders: Decoders,
    progress: Progress | None,
) -> _Found:
    """Read the files at these indices of the listing."""
    found, listing = _Found(), labelled.listing
    total, done = sum(map(len, assigned.values())), 0
    for split, indices in assigned.items():
        stored = stored_input(split, input_spec)
        rows = Rows(len(indices), stored)
        names: list[str] = []
        found.kept[split] = kept = []
        paths = [labelled.root / listing.names[index] for index in indices]
        for index, picture in zip(indices, decoders.read(paths, stored), strict=True):
            done += 1
            if progress:
                progress(done, total)
            if isinstance(picture, UnreadableImage):
                found.broken[index] = picture.reason
                continue
            try:
                placed = labelled.place(listing.labels[index], picture.framing)
            except UnusableLabel as error:
                found.broken[index] = str(error)
                continue
            shown = printable(listing.names[index])
            rows.put(len(names), picture.pixels, placed.label)
            names.append(shown)
            kept.append(index)
            found.repaired += repaired(shown, placed)
            if hardly_varies(picture.pixels):
                found.plain.append(shown)
            if picture.deep:
                found.deep[shown] = picture.deep
        found.splits[split] = rows.split(names)
    return found


def _skipped(listing: Listing, broken: dict[int, str]) -> list[dict[str, str]]:
    return [
        {"file": printable(listing.names[row]), "reason": broken[row]}
        for row in sorted(broken, key=lambda row: listing.names[row])
    ]
