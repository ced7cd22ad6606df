"""List the classes and image files of a folder, without reading the images."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilenet_tf.core.errors import UserError

_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
# Files that operating systems leave behind. Names that begin with a dot are ignored too.
_LITTER = {"thumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}


@dataclass(frozen=True)
class LabelledFile:
    """An image file of a dataset folder.

    Attributes:
        name: Path relative to the dataset folder, with forward slashes.
        label: Index of the class.
        split: Split that the file lies in: `train`, `validation` or `test`.
    """

    name: str
    label: int
    split: str


def check_folder(source: str | Path) -> Path:
    """Return the path of a dataset folder.

    Raises:
        UserError: It does not exist or is not a folder.
    """
    root = Path(source)
    if not root.exists():
        raise UserError(
            f"{root} does not exist; the data is a folder with a folder of images per class, "
            "`digits` or `tfds:NAME`."
        )
    if not root.is_dir():
        raise UserError(f"{root} is a file; the data is a folder with a folder per class.")
    return root


def list_dataset(
    root: Path,
) -> tuple[tuple[str, ...], list[LabelledFile], list[dict[str, str]]]:
    """List a folder that a network is trained on.

    Returns:
        The classes, the files, and {"file", "reason"} of each folder that is left out.

    Raises:
        UserError: Classes or their images are missing, or two folders claim the same split.
        OSError: A folder cannot be read.
    """
    tops, skipped = _split_folders(root)
    train = tops["train"]
    classes = tuple(folder.name for folder in _folders(train))
    if len(classes) < 2:
        hint = ""
        if len(classes) == 1 and len(_folders(train / classes[0])) > 1:
            hint = f"; did you mean {train / classes[0]}?"
        raise UserError(
            f"{train} has {len(classes)} class folder{'s' * (len(classes) != 1)}; at least 2 are "
            f"needed, each with the images of one class{hint or '.'}"
        )
    files = []
    for split, top in tops.items():
        for folder in _folders(top):
            if folder.name not in classes:
                raise UserError(f"{folder} is a class that {train} does not have.")
            paths = _files(folder)
            if split == "train" and not paths:
                raise UserError(f"{folder} has no files; each class needs images.")
            label = classes.index(folder.name)
            files += [_labelled(path, root, label, split) for path in paths]
    return classes, files, skipped


def list_labelled(root: Path, labels: Sequence[str]) -> tuple[Path, list[LabelledFile]]:
    """List a folder that a finished model is evaluated on.

    Returns:
        The folder that holds the class folders (`test/` if there is one), and its files.

    Raises:
        UserError: A class is not among the labels.
    """
    tops = {_SPLIT_NAMES.get(folder.name.lower()): folder for folder in _folders(root)}
    top = tops.get("test", root)
    files = []
    for folder in _folders(top):
        if folder.name not in labels:
            raise UserError(
                f"{folder} is none of the model's classes, which are {', '.join(labels)}."
            )
        label = labels.index(folder.name)
        files += [_labelled(path, root, label, "test") for path in _files(folder)]
    return top, files


def _split_folders(root: Path) -> tuple[dict[str, Path], list[dict[str, str]]]:
    """Return the folder that holds the class folders of each split, and what is left out."""
    found: dict[str, list[Path]] = {}
    for folder in _folders(root):
        if split := _SPLIT_NAMES.get(folder.name.lower()):
            found.setdefault(split, []).append(folder)
    # A class may be called "train" too; its folder then holds images and no folders.
    if not any(map(_folders, found.get("train", []))):
        return {"train": root}, []
    for folders in found.values():
        if len(folders) > 1:
            names = " and ".join(f"{folder.name}/" for folder in folders)
            raise UserError(f"{root} has {names}; only one of them is accepted.")
    tops = {split: folder for split, (folder,) in found.items() if _folders(folder)}
    reason = "it is none of train/, val/ and test/ with a folder per class"
    skipped = [
        {"file": f"{folder.name}/", "reason": reason}
        for folder in _folders(root)
        if folder not in tops.values()
    ]
    return tops, skipped


def _labelled(path: Path, root: Path, label: int, split: str) -> LabelledFile:
    return LabelledFile(path.relative_to(root).as_posix(), label, split)


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_litter(path.name))


def _files(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted."""

    def fail(error: OSError) -> None:
        raise error

    found = []
    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not _is_litter(name)]
        found += [Path(parent, name) for name in names if not _is_litter(name)]
    return sorted(found)
