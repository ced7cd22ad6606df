"""A folder with a folder of images per class, with or without train/, val/ and test/ above."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress, Split, stored_input
from mobilenet_tf.datasets.images import UnreadableImage, read_image
from mobilenet_tf.datasets.plain import hardly_varies, notes_on_plain
from mobilenet_tf.datasets.sources.listing import (
    LabelledFile,
    check_folder,
    list_dataset,
    list_labelled,
)
from mobilenet_tf.datasets.splitting import Listing, assign_splits
from mobilenet_tf.datasets.storage import allocate, keep_rows

# Number of files per thread that are decoded ahead; it bounds the images that wait for a slow disk.
_AHEAD = 64
_LONGEST_NAME = 200  # of a path in an error

_Found = TypeVar("_Found")


def load_folder(
    source: str | Path, input_spec: InputSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Load images from `source/CLASS/...` or `source/{train,val,test}/CLASS/...`.

    Classes are sorted by name. Images may lie in folders below their class. Unreadable files are
    listed in `Dataset.skipped`. A missing validation or test split is taken from train.

    Args:
        source: Path of the folder.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such folder, it has fewer than two classes, or a class has too few
            readable images.
    """
    root = check_folder(source)
    classes, files, skipped = _listed(lambda: list_dataset(root))
    broken: dict[LabelledFile, str] = {}
    while True:
        files = [file for file in files if file not in broken]
        assigned = _assign(root, classes, files, seed, broken)
        splits, unreadable, plain = _decode(root, assigned, input_spec, progress)
        broken |= unreadable
        if not any(_lost_a_class(assigned[name], splits[name]) for name in SPLITS):
            break
        # All images of a class in one split were unreadable: assign the others again.
    return Dataset(
        str(source),
        classes,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        skipped=skipped + _skipped(broken),
        notes=notes_on_plain(plain),
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
) -> tuple[Split, list[dict[str, str]]]:
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

    Returns:
        The images, and the files that were skipped as in `Dataset`.

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
    splits, broken, _ = _decode(root, {"test": files}, input_spec, progress)
    skipped = left_out + _skipped(broken)
    if not len(splits["test"]):
        raise UserError(f"{root} has no readable images; it needs a folder of images per class.")
    return splits["test"], skipped


def _listed(listing: Callable[[], _Found]) -> _Found:
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


def _decode(
    root: Path,
    assigned: dict[str, list[LabelledFile]],
    input_spec: InputSpec,
    progress: Progress | None,
) -> tuple[dict[str, Split], dict[LabelledFile, str], list[str]]:
    """Read all files.

    Returns:
        The splits, the reason for each file that is unreadable, and the names of the images in
        which there is nothing to see.
    """
    plain: list[str] = []
    splits, broken = {}, {}
    total, done = sum(map(len, assigned.values())), 0
    workers = os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers)  # Pillow decodes and resizes without the GIL
    try:
        for name, files in assigned.items():
            stored = stored_input(name, input_spec)
            images = allocate((len(files), *stored.shape))

            def read(
                row: int,
                file: LabelledFile,
                images: np.ndarray = images,
                stored: InputSpec = stored,
            ) -> None:
                images[row] = read_image(root / file.name, stored)
                if hardly_varies(images[row]):
                    plain.append(_printable(file.name))

            waiting = iter(enumerate(files))
            readable = []
            while batch := list(islice(waiting, _AHEAD * workers)):
                jobs = [(row, file, pool.submit(read, row, file)) for row, file in batch]
                for row, file, job in jobs:
                    try:
                        job.result()
                        readable.append(row)
                    except UnreadableImage as error:
                        broken[file] = error.reason
                    done += 1
                    if progress:
                        progress(done, total)
            splits[name] = Split(
                keep_rows(images, readable),
                np.array([files[row].label for row in readable], np.int64),
                [_printable(files[row].name) for row in readable],
            )
    finally:
        pool.shutdown(cancel_futures=True)  # return at once after Ctrl-C
    return splits, broken, sorted(plain)


def _printable(name: str) -> str:
    """Return a file's name, with a mark for bytes that are not UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _lost_a_class(files: list[LabelledFile], split: Split) -> bool:
    return len({file.label for file in files}) > len(set(split.labels.tolist()))
