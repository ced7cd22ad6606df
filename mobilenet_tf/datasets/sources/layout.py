"""Decide which folders of a dataset are splits and which are classes.

Training and evaluation read every folder through `read_layout`, so that both see the same thing.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import same_name
from mobilenet_tf.core.own_output import is_own_output
from mobilenet_tf.datasets.dataset import SPLITS
from mobilenet_tf.datasets.sources.walk import (
    children,
    has_loose_pictures,
    holds_pictures,
    identity,
    loose_pictures,
)

# "eval" is the test split beside a validation split, and the validation split otherwise.
_EVALUATION = "evaluation"
_SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
    **dict.fromkeys(("eval", "evaluation", "evaluate"), _EVALUATION),
}
# What is written beside a split's name: training_set, test-data, val2017.
_DECORATION = re.compile(r"[\W_]*(set|split|data|dataset|images|imgs|pictures|photos)$")
_YEAR = re.compile(r"[\W_]*(19|20)\d\d$")


@dataclass(frozen=True)
class Layout:
    """The folders of a dataset.

    Attributes:
        root: The dataset folder.
        tops: Split -> folder that holds its class folders. Without splits, {"train": root}.
        left_out: {"file", "reason"} of what lies beside them and is not read.
        has_splits: Whether the folder itself has splits.
    """

    root: Path
    tops: dict[str, Path]
    left_out: list[dict[str, str]] = field(default_factory=list)
    has_splits: bool = False


def split_of(name: str) -> str | None:
    """Return the split that a folder's name stands for, in any case, such as `Test-Set`."""
    name = name.lower()
    for pattern in (_YEAR, _DECORATION, _DECORATION):
        name = pattern.sub("", name)
    return _SPLIT_NAMES.get(name.replace("-", "").replace("_", "").strip())


def class_folders(top: Path) -> list[Path]:
    """Return the class folders in a folder, sorted; those that this project wrote are left out."""
    return [folder for folder in children(top) if not is_output(folder)]


def is_output(folder: Path) -> bool:
    """Return whether a folder is output of this project, or holds no pictures but such output."""
    if is_own_output(folder):
        return True
    below = children(folder)
    others = [one for one in below if not is_own_output(one)]
    return (
        len(others) < len(below)
        and not has_loose_pictures(folder)
        and not any(map(holds_pictures, others))
    )


def read_layout(root: Path, known: Collection[str] = ()) -> Layout:
    """Return the splits of a dataset folder.

    Folders with usual names of splits are splits if class folders lie in them. A class may be
    called "train" or "test" too; its folder then holds pictures. Where the folders inside the class
    folders have the names of classes or splits themselves, there are two ways to read them.

    Args:
        root: The dataset folder.
        known: Names of classes, if they are known, as `same_name` returns them.

    Raises:
        UserError: Two folders claim the same split, or there are two ways to read the folder.
        OSError: A folder cannot be read.
    """
    folders = class_folders(root)
    names = _splits_by_name(folders)
    splits = {folder: split for folder, split in names.items() if class_folders(folder)}
    beside = [folder for folder in folders if folder not in names] if splits else []
    others = list(filter(holds_pictures, beside))
    train = [folder for folder, split in splits.items() if split == "train"]
    if not splits or (others and not train) or _is_class(train, names):
        _check_classes(root, known)
        return Layout(root, {"train": root}, _beside(root, root))
    _check_one_reading(root, names, others, train)
    tops = _one_folder_per_split(root, splits)
    for top in tops.values():
        _check_classes(top, known)
    reason = "it is not a split with a folder per class"
    unused = [
        {"file": f"{folder.name}/", "reason": reason}
        for folder in folders
        if folder not in tops.values()
    ]
    others_inside = [entry for top in (root, *tops.values()) for entry in _beside(root, top)]
    return Layout(root, tops, unused + others_inside, has_splits=True)


def _splits_by_name(folders: list[Path]) -> dict[Path, str]:
    """Return the folders whose names stand for splits, also as in `seg_train/ seg_test/`."""
    found = {folder: split for folder in folders if (split := split_of(folder.name))}
    if found or len(folders) < 2:
        return found
    words = [re.split(r"[\W_]+", folder.name.lower()) for folder in folders]
    while len({one[0] for one in words}) == 1 and all(len(one) > 1 for one in words):
        words = [one[1:] for one in words]
    rests = zip(folders, map("_".join, words), strict=True)
    found = {folder: split for folder, rest in rests if (split := split_of(rest))}
    return found if "train" in found.values() and len(set(found.values())) > 1 else {}


def _is_class(train: list[Path], names: dict[Path, str]) -> bool:
    """Whether the only folder called "train" is a class: its pictures lie in it directly."""
    return (
        len(train) == 1
        and len(class_folders(train[0])) < 2
        and has_loose_pictures(train[0])
        and len(names) > 1
    )


def _check_one_reading(
    root: Path, names: dict[Path, str], others: list[Path], train: list[Path]
) -> None:
    """Reject `bus/ car/ train/{steam,diesel}/`, and splits of which one has no classes."""
    if others and len(set(names.values())) == 1:
        top = train[0]
        inner, outer = class_folders(top), sorted([*others, *train])
        raise UserError(
            f"{root} can be read in two ways: as the classes {_listed(outer)}, or as the split "
            f"{top.name}/ with the classes {_listed(inner)}; rename {top.name}/ for the first, "
            f"or move {_listed(others)} elsewhere for the second."
        )
    flat = [folder for folder, split in names.items() if split == "train" and folder not in train]
    if not train and flat and holds_pictures(flat[0]):
        raise UserError(
            f"{root} can be read in two ways: as the classes {_listed(list(names))}, or as splits "
            f"of which {flat[0].name}/ has no folder per class; rename the folders for the first, "
            f"or sort the pictures of {flat[0].name}/ into classes for the second."
        )


def _check_classes(top: Path, known: Collection[str]) -> None:
    """Reject class folders of which those inside may be meant: splits, or classes in parts."""
    folders = class_folders(top)
    _check_no_splits_inside(folders)
    if all(same_name(folder.name) in known for folder in folders):
        return
    # Folders with pictures of their own are classes, whatever lies beside the pictures.
    parts = [folder for folder in folders if not has_loose_pictures(folder)]
    inner = {part: list(filter(holds_pictures, class_folders(part))) for part in parts}
    classes = {_compared(below): below for found in inner.values() for below in found}
    count = Counter(_compared(below) for found in inner.values() for below in found)
    recurring = {name for name in count if count[name] > 1}
    copied = count.keys() & set(map(_compared, folders))  # a/ b/ backup/{a,b}
    usual = 2 * len(parts) > len(folders) and 2 * len(recurring) >= len(count)
    if len(copied) > 1 or (usual and len(recurring) > 1):
        named = recurring | copied
        holders = [
            part for part in parts if any(_compared(below) in named for below in inner[part])
        ]
        others = sorted(classes.values(), key=lambda below: below.name)
        raise UserError(
            f"{top} can be read in two ways: as the classes {_listed(folders)}, or as the classes "
            f"{_listed(others)} with pictures in {_listed(holders)}; put the pictures of each "
            "class directly into one folder, or, where these are splits, call them train/, val/ "
            "and test/."
        )


def _check_no_splits_inside(folders: list[Path]) -> None:
    for folder in folders:
        inner = [below for below in children(folder) if split_of(below.name)]
        if len({split_of(below.name) for below in inner}) > 1:
            hint = (
                f"did you mean {folder}?"
                if any(map(children, inner))
                else f"splits are read above the classes, as {inner[0].name}/{folder.name}/, and "
                "not inside them."
            )
            raise UserError(f"{folder} holds the splits {_listed(inner)}; {hint}")


def _compared(folder: Path) -> str:
    """The form in which names of folders are compared: the case does not count."""
    return same_name(folder.name).casefold()


def _one_folder_per_split(root: Path, splits: dict[Path, str]) -> dict[str, Path]:
    beside = set(splits.values())
    evaluation = "test" if "validation" in beside and "test" not in beside else "validation"
    found: dict[str, list[Path]] = {}
    for folder, split in splits.items():
        found.setdefault(evaluation if split == _EVALUATION else split, []).append(folder)
    for split, folders in found.items():
        if len(folders) > 1:
            named = " and ".join(f"{folder.name}/" for folder in folders)
            raise UserError(
                f"{root} has {named}; only one of them is accepted as the {split} split."
            )
    tops = {split: found[split][0] for split in SPLITS if split in found}
    check_different(list(tops.values()))
    return tops


def check_different(folders: list[Path]) -> None:
    """Reject two names of one folder: its pictures would count twice.

    Raises:
        UserError: A link among the folders leads to another one of them.
    """
    seen: dict[tuple[int, int], Path] = {}
    for folder in folders:
        first = seen.setdefault(identity(folder), folder)
        if first is not folder:
            raise UserError(
                f"{folder} and {first} are the same folder under two names; remove one of them."
            )


def _beside(root: Path, top: Path) -> list[dict[str, str]]:
    """What lies beside the class folders in `top`: output of this project, and pictures."""
    reasons = [
        *((f, "/", "it was written by mobilenet_tf") for f in children(top) if is_output(f)),
        *((path, "", "it lies outside the class folders") for path in loose_pictures(top)),
    ]
    return [
        {"file": f"{path.relative_to(root).as_posix()}{end}", "reason": reason}
        for path, end, reason in reasons
    ]


def _listed(folders: list[Path]) -> str:
    shown = [f"{folder.name}/" for folder in folders[:5]] + ["..."] * (len(folders) > 5)
    return ", ".join(shown)
