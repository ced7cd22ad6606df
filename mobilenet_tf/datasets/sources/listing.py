"""List the classes and image files of a folder, without reading the images."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import check_label, same_name
from mobilenet_tf.datasets.sources.archive import unpacked
from mobilenet_tf.datasets.sources.layout import Layout, check_different, class_folders, read_layout
from mobilenet_tf.datasets.sources.walk import files_below, holds_pictures

_ACCEPTED = (
    "a folder with a folder of images per class, a table of files and labels, a .zip of them, "
    "`digits` or `tfds:NAME`"
)


class LabelledFile(NamedTuple):
    """An image file of a dataset.

    Attributes:
        name: Path relative to the dataset folder, with forward slashes.
        label: Index of the class.
        split: Split that the file lies in: `train`, `validation` or `test`.
        group: Group that it belongs to, see `Listing.together`; "" for none.
    """

    name: str
    label: int
    split: str
    group: str = ""


def check_folder(source: str | Path, accepted: str = _ACCEPTED) -> Path:
    """Return the path of a dataset folder, to which an archive is unpacked.

    Args:
        source: The path.
        accepted: What data may be, for errors.

    Raises:
        UserError: It does not exist or is not a folder.
    """
    root = unpacked(Path(source))
    if any("\ud800" <= character <= "\udfff" for character in str(root)):
        raise UserError(
            f"The path {str(root)!r} is not valid UTF-8, so config.toml cannot name it; rename it."
        )
    try:
        root.stat()
    except PermissionError as error:
        raise UserError(f"{root} cannot be read: {error.strerror}.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{root} does not exist; the data is {accepted}.") from error
    if not root.is_dir():
        raise UserError(f"{root} is a file; the data is {accepted}.")
    return root


def list_dataset(
    root: Path,
) -> tuple[tuple[str, ...], list[LabelledFile], list[dict[str, str]]]:
    """List a folder that a network is trained on.

    Returns:
        The classes, the files, and {"file", "reason"} of what is left out.

    Raises:
        UserError: Classes or their images are missing, a class has a name that cannot be written
            into a model, or there is not one way to read the folder.
        OSError: A folder cannot be read.
    """
    layout = read_layout(root)
    if "train" not in layout.tops:
        named = " and ".join(f"{top.name}/" for top in layout.tops.values())
        raise UserError(f"{root} has {named}, but no train/; the training images are needed.")
    train = layout.tops["train"]
    classes = _classes(train)
    unknown = f"is a class that {train} does not have"
    known = {name: label for label, name in enumerate(classes)}
    files, left_out = _labelled(layout, layout.tops, known, unknown)
    for label, name in enumerate(classes):
        if not any(file.label == label and file.split == "train" for file in files):
            raise UserError(f"{train / name} has no files; each class needs images.")
    return classes, files, left_out


def list_labelled(
    root: Path, labels: Sequence[str]
) -> tuple[list[LabelledFile], list[dict[str, str]]]:
    """List a folder that a finished model is evaluated on.

    Returns:
        The files of the test split, or all files if the folder has no splits; if it has splits and
        none is called test, the files of train and validation, from which the test images are to
        be held out. And {"file", "reason"} of what is left out.

    Raises:
        UserError: A class is not among the labels, or there is not one way to read the folder.
        OSError: A folder cannot be read.
    """
    known = {same_name(label): index for index, label in reversed([*enumerate(labels)])}
    layout = read_layout(root, known)
    tops = layout.tops
    if not layout.has_splits:
        tops = {"test": tops["train"]}
    elif "test" in tops or "train" not in tops:
        tops = {"test": tops.get("test") or tops["validation"]}
    unknown = f"is none of the model's classes, which are {', '.join(labels)}"
    return _labelled(layout, tops, known, unknown)


def _classes(train: Path) -> tuple[str, ...]:
    """Return the names of the classes, sorted; folders of one name in two encodings are one."""
    folders = class_folders(train)
    for folder in folders:
        check_label(folder.name, f"A class folder in {train}")
    check_different(folders)
    classes = tuple(sorted({same_name(folder.name) for folder in folders}))
    trimmed = {name.strip(): name for name in classes}
    for name in classes:
        if trimmed[name.strip()] != name:
            raise UserError(
                f"{train} has the classes {trimmed[name.strip()]!r} and {name!r}, which differ "
                "only in spaces; rename one of them."
            )
    with_images = list(islice(filter(holds_pictures, folders), 2))
    only = with_images[0] if len(with_images) == 1 else None
    deeper = _classes_below(only) if only else None
    if len(classes) < 2 or deeper:
        found = f"{len(classes)} class folder{'s' * (len(classes) != 1)}"
        if len(classes) > 1:
            found = "images in one of its folders only"
        hint = f"; did you mean {deeper}?" if deeper else "."
        raise UserError(
            f"{train} has {found}; at least 2 are needed, each with the images of one class{hint}"
        )
    return classes


def _classes_below(folder: Path) -> Path | None:
    """Return the folder itself, or the first one inside it, that holds several folders."""
    while len(inner := class_folders(folder)) == 1:
        (folder,) = inner
    return folder if inner else None


def _labelled(
    layout: Layout, tops: Mapping[str, Path], known: Mapping[str, int], unknown: str
) -> tuple[list[LabelledFile], list[dict[str, str]]]:
    """Return the files of some of a layout's splits, and what is left out.

    Args:
        layout: The layout.
        tops: The splits, as in `Layout`.
        known: Class -> label.
        unknown: What an error says about another class.
    """
    root, left_out = layout.root, list(layout.left_out)
    folders = [(split, folder) for split, top in tops.items() for folder in class_folders(top)]
    check_different([folder for _, folder in folders])
    read = [folder.resolve() for _, folder in folders]

    def note(path: Path, reason: str) -> None:
        left_out.append({"file": f"{path.relative_to(root).as_posix()}/", "reason": reason})

    files = []
    for split, folder in folders:
        label = known.get(same_name(folder.name))
        if label is None:
            raise UserError(f"{folder} {unknown}.")
        files += [
            LabelledFile(path.relative_to(root).as_posix(), label, split)
            for path in files_below(folder, read, note)
        ]
    return files, left_out
