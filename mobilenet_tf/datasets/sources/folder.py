"""A folder of pictures per class, as people have it, with or without train/ val/ test/ above."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import (
    PARTS,
    Dataset,
    Progress,
    Split,
    allocate,
    keep_rows,
    share_out,
    side_of,
)
from mobilenet_tf.datasets.images import UnreadablePicture, read_picture

_PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
# What systems leave behind; names beginning with a dot go without saying.
_LITTER = {"thumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}
# Per thread, so that finished pictures do not pile up in front of a slow disk.
_AHEAD = 64


@dataclass(frozen=True)
class _File:
    name: str  # relative to the source, with forward slashes
    label: int
    part: str


def load_folder(
    source: str | Path, spec: InputSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Pictures from `source/CLASS/...` or `source/{train,val,test}/CLASS/...`.

    Classes are sorted by name. Pictures may lie in folders below their class. Unreadable files
    are listed in `Dataset.skipped`. What is missing of val and test is taken from train.

    Raises:
        UserError: no such folder, fewer than two classes, or too few readable pictures.
    """
    root = _root(source)
    try:
        classes, files, skipped = _list(root)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read: {error.strerror}.") from error
    broken: dict[_File, str] = {}
    while True:
        files = [file for file in files if file not in broken]
        try:
            chosen = share_out(
                [file.name for file in files],
                [file.label for file in files],
                [file.part for file in files],
                classes,
                seed,
            )
        except UserError as error:
            if not broken:
                raise
            file, reason = next(iter(broken.items()))
            raise UserError(
                f"{str(error).rstrip('.')}; {len(broken)} could not be read, such as "
                f"{root / file.name}: {reason}."
            ) from error
        parts = {part: [files[index] for index in chosen[part]] for part in PARTS}
        splits, found = _decode(root, parts, spec, progress)
        broken |= found
        if not any(_lost_a_class(parts[part], splits[part]) for part in PARTS):
            break
        # All pictures of a class in one part were unreadable: share the others out again.
    skipped += _skipped(broken)
    return Dataset(str(source), classes, **splits, skipped=skipped)


def folder_classes(source: str | Path) -> tuple[str, ...]:
    """Return the names of the classes without reading an image.

    Raises:
        UserError: There is no such folder, or it has fewer than two classes.
    """
    try:
        return _list(_root(source))[0]
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read: {error.strerror}.") from error


def load_labelled(
    source: str | Path,
    labels: Sequence[str],
    spec: InputSpec,
    progress: Progress | None = None,
) -> tuple[Split, list[dict]]:
    """All pictures of a folder per class, to judge a finished model with.

    Classes are matched with `labels` by name; the folder may lack some. Of `train/ val/ test/`
    only test is taken.

    Returns:
        The pictures at `spec.side`, and what was skipped, as in `Dataset`.

    Raises:
        UserError: no such folder, a class that is none of the labels, or no readable picture.
    """
    root = _root(source)
    parts = {_PART_NAMES.get(folder.name.lower()): folder for folder in _folders(root)}
    top = parts.get("test", root)
    files = []
    for folder in _folders(top):
        if folder.name not in labels:
            raise UserError(
                f"{folder} is none of the model's classes, which are {', '.join(labels)}."
            )
        files += [
            _File(path.relative_to(root).as_posix(), labels.index(folder.name), "test")
            for path in _files(folder)
        ]
    splits, broken = _decode(root, {"test": files}, spec, progress)
    if not len(splits["test"]):
        raise UserError(f"{top} has no readable pictures; it needs a folder per class.")
    return splits["test"], _skipped(broken)


def _root(source: str | Path) -> Path:
    root = Path(source)
    if not root.exists():
        raise UserError(
            f"{root} does not exist; the data is a folder per class, `digits` or `tfds:NAME`."
        )
    if not root.is_dir():
        raise UserError(f"{root} is a file; the data is a folder with a folder per class.")
    return root


def _skipped(broken: dict[_File, str]) -> list[dict]:
    return [
        {"file": file.name, "reason": reason}
        for file, reason in sorted(broken.items(), key=lambda item: item[0].name)
    ]


def _list(root: Path) -> tuple[tuple[str, ...], list[_File], list[dict]]:
    """Classes, files and what is left out of a data folder."""
    top = {"train": root}
    skipped = []
    found = {}
    for folder in _folders(root):
        if part := _PART_NAMES.get(folder.name.lower()):
            found.setdefault(part, []).append(folder)
    # A class may be called "train" too; its folder holds pictures and no folders.
    if any(map(_folders, found.get("train", []))):
        for folders in found.values():
            if len(folders) > 1:
                names = " and ".join(f"{folder.name}/" for folder in folders)
                raise UserError(f"{root} has {names}; only one of them is accepted.")
        top = {part: folder for part, (folder,) in found.items() if _folders(folder)}
        for folder in _folders(root):
            if folder not in top.values():
                reason = "it is none of train/, val/ and test/ with a folder per class"
                skipped.append({"file": f"{folder.name}/", "reason": reason})
    classes = tuple(folder.name for folder in _folders(top["train"]))
    if len(classes) < 2:
        hint = ""
        if len(classes) == 1 and len(_folders(top["train"] / classes[0])) > 1:
            hint = f"; perhaps {top['train'] / classes[0]} is meant"
        raise UserError(
            f"{top['train']} has {len(classes)} class folder{'s' * (len(classes) != 1)}; at least "
            f"2 are needed, each with the pictures of one class{hint}."
        )
    files = []
    for part, folder in top.items():
        for of_class in _folders(folder):
            if of_class.name not in classes:
                raise UserError(f"{of_class} is a class that {top['train']} does not have.")
            label = classes.index(of_class.name)
            pictures = _files(of_class)
            if part == "train" and not pictures:
                raise UserError(f"{of_class} has no files; each class needs pictures.")
            files += [_File(path.relative_to(root).as_posix(), label, part) for path in pictures]
    return classes, files, skipped


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_litter(path.name))


def _files(folder: Path) -> list[Path]:
    def fail(error: OSError):
        raise error

    found = []
    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not _is_litter(name)]
        found += [Path(parent, name) for name in names if not _is_litter(name)]
    return sorted(found)


def _decode(
    root: Path, parts: dict[str, list[_File]], spec: InputSpec, progress: Progress | None
) -> tuple[dict[str, Split], dict[_File, str]]:
    """Pixels of all files, and the reason for each that has none."""
    splits, broken = {}, {}
    total, done = sum(map(len, parts.values())), 0
    workers = os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers)  # Pillow decodes and resizes without the GIL
    try:
        for part, files in parts.items():
            side = side_of(part, spec.side)
            pictures = allocate((len(files), side, side, spec.channels))

            def read(row, file, pictures=pictures, side=side):
                pictures[row] = read_picture(root / file.name, side, spec.channels, spec.crop)

            waiting = iter(enumerate(files))
            kept = []
            while batch := list(islice(waiting, _AHEAD * workers)):
                jobs = [(row, file, pool.submit(read, row, file)) for row, file in batch]
                for row, file, job in jobs:
                    try:
                        job.result()
                        kept.append(row)
                    except UnreadablePicture as error:
                        broken[file] = error.reason
                    done += 1
                    if progress:
                        progress(done, total)
            splits[part] = Split(
                keep_rows(pictures, kept),
                np.array([files[row].label for row in kept], np.int64),
                [files[row].name for row in kept],
            )
    finally:
        pool.shutdown(cancel_futures=True)  # at once after Ctrl-C
    return splits, broken


def _lost_a_class(files: list[_File], split: Split) -> bool:
    return len({file.label for file in files}) > len(set(split.labels.tolist()))
