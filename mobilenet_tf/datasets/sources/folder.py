"""A folder with a folder of images per class, with or without train/, val/ and test/ above."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
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
from mobilenet_tf.datasets.plain import hardly_varies, notes_on_plain
from mobilenet_tf.datasets.sources.listing import (
    LabelledFile,
    check_folder,
    list_dataset,
    list_labelled,
)
from mobilenet_tf.datasets.splitting import Listing, assign_splits
from mobilenet_tf.datasets.storage import allocate

_LONGEST_NAME = 200  # of a path in an error

_Listing = TypeVar("_Listing")


def load_folder(
    source: str | Path,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
) -> Dataset:
    """Load images from `source/CLASS/...` or `source/{train,val,test}/CLASS/...`.

    Classes are sorted by name. Images may lie in folders below their class. Unreadable files are
    listed in `Dataset.skipped`. A missing validation or test split is taken from train.

    Args:
        source: Path of the folder.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: Whether the training images decide the white level of greys of more than 8
            bits, where `input_spec` has none.

    Raises:
        UserError: There is no such folder, it has fewer than two classes, or a class has too few
            readable images.
    """
    root = check_folder(source)
    classes, files, skipped = _listed(lambda: list_dataset(root))
    broken: dict[LabelledFile, str] = {}
    with Decoders(len(files)) as decoders:
        while True:
            files = [file for file in files if file not in broken]
            assigned = _assign(root, classes, files, seed, broken)
            found = _decode(root, assigned, input_spec, decoders, progress)
            broken |= found.broken
            if any(_lost_a_class(assigned[name], found.splits[name]) for name in SPLITS):
                continue  # all images of a class in one split are unreadable: assign again
            level = usual_level(
                found.deep[name] for name in found.splits["train"].names if name in found.deep
            )
            if input_spec.white_level is not None or level is None or not judge_depth:
                break
            input_spec = replace(input_spec, white_level=level)  # and decode with it
    return Dataset(
        str(source),
        classes,
        train=found.splits["train"],
        validation=found.splits["validation"],
        test=found.splits["test"],
        skipped=skipped + _skipped(broken),
        notes=found.notes(input_spec),
        white_level=input_spec.white_level,
    )


def folder_classes(source: str | Path) -> tuple[str, ...]:
    """Return the names of the classes without reading an image.

    Raises:
        UserError: There is no such folder, or it has fewer than two classes.
    """
    return _listed(lambda: list_dataset(check_folder(source)))[0]


def load_labelled(
    source: str | Path,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    """Load the images of a folder on which a finished model is evaluated.

    Classes are matched with `labels` by name; the folder may lack some of them. The folder is read
    as `load_folder` reads it: if it has splits, the images are those of its test split or, if it
    has none, those that training with this seed would hold out. If it has no splits, all of its
    images are loaded.

    Args:
        source: Path of the folder.
        labels: Names of the model's classes; the images' labels are indices into them.
        input_spec: Input of the model.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such folder, it has a class that is not among the labels, or it has
            no readable image.
    """
    root = check_folder(source)
    files, left_out = _listed(lambda: list_labelled(root, labels))
    if any(file.split == "train" for file in files):
        present = sorted({file.label for file in files})
        places = {label: place for place, label in enumerate(present)}
        listing = Listing(
            classes=tuple(labels[label] for label in present),
            names=[file.name for file in files],
            labels=[places[file.label] for file in files],
            splits=[file.split for file in files],
        )
        files = [files[index] for index in assign_splits(listing, seed)["test"]]
    with Decoders(len(files)) as decoders:
        found = _decode(root, {"test": files}, input_spec, decoders, progress)
    images = found.splits["test"]
    if not len(images):
        raise UserError(f"{root} has no readable images; it needs a folder of images per class.")
    return TestImages(images, left_out + _skipped(found.broken), found.notes(input_spec))


def _listed(listing: Callable[[], _Listing]) -> _Listing:
    """Turn a folder that the system does not list into the user's error."""
    try:
        return listing()
    except OSError as error:
        name = str(error.filename)
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        raise UserError(f"{shown} cannot be read: {error.strerror}.") from error


def _assign(
    root: Path,
    classes: tuple[str, ...],
    files: list[LabelledFile],
    seed: int,
    broken: dict[LabelledFile, str],
) -> dict[str, list[LabelledFile]]:
    """Assign files to splits; `broken` explains why a class may have too few."""
    listing = Listing(
        classes=classes,
        names=[file.name for file in files],
        labels=[file.label for file in files],
        splits=[file.split for file in files],
    )
    try:
        chosen = assign_splits(listing, seed)
    except UserError as error:
        if not broken:
            raise
        file, reason = next(iter(broken.items()))
        raise UserError(
            f"{str(error).rstrip('.')}; {len(broken)} could not be read, such as "
            f"{root / file.name}: {reason}."
        ) from error
    return {name: [files[index] for index in chosen[name]] for name in SPLITS}


def _skipped(broken: dict[LabelledFile, str]) -> list[dict[str, str]]:
    return [
        {"file": _printable(file.name), "reason": reason}
        for file, reason in sorted(broken.items(), key=lambda item: item[0].name)
    ]


@dataclass
class _Found:
    """What decoding has found.

    Attributes:
        splits: The readable images.
        broken: Why each of the others is unreadable.
        plain: Names of images in which there is nothing to see.
        deep: Name -> extremes of greys of more than 8 bits.
    """

    splits: dict[str, Split] = field(default_factory=dict)
    broken: dict[LabelledFile, str] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)
    deep: dict[str, Extremes] = field(default_factory=dict)

    def notes(self, input_spec: InputSpec) -> list[str]:
        """Return what the user should know about the images."""
        deep = notes_on_deep(self.deep, input_spec.white_level)
        return [*deep, *notes_on_plain(sorted(self.plain))]


def _decode(
    root: Path,
    assigned: dict[str, list[LabelledFile]],
    input_spec: InputSpec,
    decoders: Decoders,
    progress: Progress | None,
) -> _Found:
    """Read all files."""
    found = _Found()
    total, done = sum(map(len, assigned.values())), 0
    for name, files in assigned.items():
        stored = stored_input(name, input_spec)
        images = allocate((len(files), *stored.shape))
        labels: list[int] = []
        names: list[str] = []
        pictures = decoders.read([root / file.name for file in files], stored)
        for file, picture in zip(files, pictures, strict=True):
            if isinstance(picture, UnreadableImage):
                found.broken[file] = picture.reason
            else:
                shown = _printable(file.name)
                images[len(names)] = picture.pixels
                labels.append(file.label)
                names.append(shown)
                if hardly_varies(picture.pixels):
                    found.plain.append(shown)
                if picture.deep:
                    found.deep[shown] = picture.deep
            done += 1
            if progress:
                progress(done, total)
        found.splits[name] = Split(images[: len(names)], np.array(labels, np.int64), names)
    return found


def _printable(name: str) -> str:
    """Return a file's name, with a mark for bytes that are not UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _lost_a_class(files: list[LabelledFile], split: Split) -> bool:
    return len({file.label for file in files}) > len(set(split.labels.tolist()))
