"""Classes from a table: one label per picture."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import same_name
from mobilenet_tf.datasets.sources.label_files import LabelFiles, table_labels
from mobilenet_tf.datasets.sources.listing import LabelledFile


def list_table(
    path: Path,
) -> tuple[tuple[str, ...], list[LabelledFile], list[dict[str, str]]]:
    """List a table that a network is trained on; see `listing.list_dataset`.

    Raises:
        UserError: The table cannot be read, or has no training pictures of a class.
        OSError: A folder cannot be read.
    """
    found = _one_label_each(path)
    files = _files(found, {name: label for label, name in enumerate(found.classes)}, path)
    for label, name in enumerate(found.classes):
        if not any(file.label == label and file.split == "train" for file in files):
            raise UserError(f"{path} has no training pictures of the class {name!r}.")
    return found.classes, files, found.left_out


def list_labelled_table(
    path: Path, labels: Sequence[str]
) -> tuple[list[LabelledFile], list[dict[str, str]]]:
    """List a table that a finished model is evaluated on; see `listing.list_labelled`.

    Raises:
        UserError: The table cannot be read, or has a class that is not among the labels.
        OSError: A folder cannot be read.
    """
    found = _one_label_each(path)
    known = {same_name(label): index for index, label in reversed([*enumerate(labels)])}
    files = _files(found, known, path)
    splits = {file.split for file in files}
    if not found.splits:
        return [file._replace(split="test") for file in files], found.left_out
    if "test" in splits or "train" not in splits:
        tested = "test" if "test" in splits else "validation"
        files = [file._replace(split="test") for file in files if file.split == tested]
    return files, found.left_out


def _one_label_each(path: Path) -> LabelFiles:
    """Read a table and leave out the pictures that have no label, or several."""
    found = table_labels(path, separators="")
    for file, labels in sorted(found.labels.items()):
        if len(labels) != 1:
            several = f"it has the labels {' and '.join(sorted(labels)[:3])}"
            found.remove(file, several if labels else "it has no label")
    return found


def _files(found: LabelFiles, known: dict[str, int], path: Path) -> list[LabelledFile]:
    files = []
    for file in sorted(found.labels):
        (name,) = found.labels[file]
        if name not in known:
            raise UserError(
                f"{path} has the class {name!r}, which is none of the model's: "
                f"{', '.join(sorted(known, key=known.__getitem__))}."
            )
        split = min(found.splits[file]) if found.splits else "train"
        files.append(LabelledFile(file, known[name], split, found.groups.get(file, "")))
    return files
