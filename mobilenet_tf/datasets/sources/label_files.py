"""Which picture has which labels: from a table, or from a folder of pictures for each label."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import check_label, same_name
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.datasets.formats import BYTE_LIMIT
from mobilenet_tf.datasets.sources.file_index import FileIndex
from mobilenet_tf.datasets.sources.layout import class_folders, read_layout
from mobilenet_tf.datasets.sources.listing import check_folder
from mobilenet_tf.datasets.sources.table import (
    FILE_COLUMNS,
    GROUP_COLUMNS,
    SPLIT_COLUMNS,
    Table,
    named,
    read_table,
)
from mobilenet_tf.datasets.sources.walk import files_below

LABEL_COLUMNS = (
    *("label", "labels", "tag", "tags", "class", "classes", "category", "categories"),
    *("attribute", "attributes", "keyword", "keywords"),
)
_ACCEPTED = "a table of files and labels (.csv), a folder with a folder per label, or `digits`"
SEPARATORS = ";|,"  # of labels in a cell; a space may be part of a label
_YES, _NO = ("1", "1.0", "true", "yes", "x"), ("0", "0.0", "-1", "false", "no", "")


@dataclass
class LabelFiles:
    """Pictures and their labels, before any is decoded.

    Attributes:
        root: Folder of the pictures.
        classes: Names of the labels.
        labels: Path of each picture, relative to the folder -> its labels.
        splits: Path -> the splits that it lies in; empty if the source has no splits.
        groups: Path -> the group that it belongs to; empty if the source has no groups.
        left_out: {"file", "reason"} of what is left out.
    """

    root: Path
    classes: tuple[str, ...]
    labels: dict[str, set[str]] = field(default_factory=dict)
    splits: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    left_out: list[dict[str, str]] = field(default_factory=list)

    def add(self, file: str, labels: Iterable[str], split: str | None) -> None:
        """Add labels to a picture."""
        self.labels.setdefault(file, set()).update(labels)
        if split is not None:
            self.splits.setdefault(file, set()).add(split)

    def leave_out(self, file: str, reason: str) -> None:
        """List what is left out."""
        self.left_out.append({"file": file, "reason": reason})

    def without_contradictions(self) -> "LabelFiles":
        """Leave out the pictures that lie in several splits, and return the rest."""
        for file in sorted(file for file, splits in self.splits.items() if len(splits) > 1):
            self.remove(file, "it is in several splits")
        return self

    def remove(self, file: str, reason: str) -> None:
        """Leave out a picture that has been added."""
        for known in (self.labels, self.splits, self.groups):
            known.pop(file, None)
        self.leave_out(file, reason)


def table_labels(path: Path, separators: str = SEPARATORS) -> LabelFiles:
    """Read a table: a column of files, and either one of labels or one for each label.

    A cell of labels separates them by `separators`, and may be empty: a picture without labels.
    Columns of labels hold 1 or 0 (or true and false, yes and no, 1 and -1). Without a header, the
    first column is the file, and the second its labels. A file may have several rows, whose labels
    are its labels together; the group in the first one counts. Files that do not exist are left
    out.

    Args:
        path: The table.
        separators: Characters between the labels of a cell; none for one label per cell.

    Raises:
        UserError: The table cannot be read so, or none of its files exists.
        OSError: A folder cannot be read.
    """
    table, root = read_table(path), path.parent
    rows = _labelled_rows(table, separators)
    splits: Sequence[str | None] = table.splits() or [None] * len(rows)
    groups = table.groups() or [""] * len(rows)
    classes = tuple(sorted({label for _, labels in rows for label in labels}))
    found, index = LabelFiles(root, classes), FileIndex(root)
    for (name, labels), split, group in zip(rows, splits, groups, strict=True):
        file = index.find(name)
        if file is None:
            found.leave_out(name, "there is no such file")
        else:
            found.add(file, labels, split)
            if group:
                found.groups.setdefault(file, group)
    if not found.labels:
        raise UserError(
            f"{path} names no file that exists in {root}, such as {rows[0][0]!r}."
            if rows
            else f"{path} has a header only; it needs a row for each picture."
        )
    return found.without_contradictions()


def _labelled_rows(table: Table, separators: str) -> list[tuple[str, list[str]]]:
    """Return name and labels of each row."""
    if table.header is None:
        return [(name, _labels(table, n, cell, separators)) for n, (name, cell) in table.rows]
    files, together = table.column(FILE_COLUMNS), table.column(LABEL_COLUMNS)
    assert files is not None
    if together is not None:
        return [
            (cells[files], _labels(table, n, cells[together], separators))
            for n, cells in table.rows
        ]
    own = {files, table.column(SPLIT_COLUMNS), table.column(GROUP_COLUMNS)}
    columns = [index for index in range(len(table.titles)) if index not in own]
    if not columns:
        raise UserError(
            f"{table.path} has no column of labels; its header is {named(table.titles)}."
        )
    for index in columns:
        check_label(table.titles[index], f"A column of {table.path}")
    return [
        (
            cells[files],
            [same_name(table.titles[i]) for i in columns if _is_set(table, line, i, cells[i])],
        )
        for line, cells in table.rows
    ]


def _is_set(table: Table, line: int, column: int, cell: str) -> bool:
    if cell.lower() not in (*_YES, *_NO):
        raise UserError(
            f"{table.path}, line {line}: {table.titles[column]} is {cell!r}; a column for a label "
            "holds 1 or 0, and one with the names of labels is called labels."
        )
    return cell.lower() in _YES


def _labels(table: Table, line: int, cell: str, separators: str) -> list[str]:
    parts = re.split(f"[{re.escape(separators)}]", cell) if separators else [cell]
    labels = [same_name(part.strip()) for part in parts if part.strip()]
    for label in labels:
        check_label(label, f"{table.path}, line {line}: a label")
    return labels


def folder_labels(path: Path) -> LabelFiles:
    """Read a folder with a folder for each label, with or without train/, val/ and test/ above.

    A picture has the labels of all folders in which it is: as a link, or as a copy with the same
    content.

    Raises:
        UserError: There is no such folder, or not one way to read it.
        OSError: A folder cannot be read.
    """
    root = check_folder(path, _ACCEPTED)
    layout = read_layout(root)
    placed = [
        (split, same_name(folder.name), path)
        for split, top in layout.tops.items()
        for folder in class_folders(top)
        for path in files_below(folder, [], lambda path, reason: None)
    ]
    classes = tuple(sorted({label for _, label, _ in placed}))
    for label in classes:
        check_label(label, f"A folder of {root}")
    found = LabelFiles(root, classes, left_out=list(layout.left_out))
    first: dict[object, str] = {}
    keys = _identities([path for _, _, path in placed])
    for split, label, path in placed:
        name = path.relative_to(root).as_posix()
        file = first.setdefault(keys[path], name)
        found.add(file, [label], split if layout.has_splits else None)
    return found.without_contradictions()


def _identities(paths: Sequence[Path]) -> dict[Path, object]:
    """Return for each file what its links and copies have in common with it."""
    found: dict[Path, object] = {}
    sized = []
    for path in paths:
        try:
            facts = path.stat()
        except OSError:  # a broken link; reading it says so
            found[path] = path
            continue
        sized.append((facts.st_size, (facts.st_dev, facts.st_ino), path))
    for _, group in groupby(sorted(sized), key=lambda item: item[0]):
        members = list(group)
        files = {identity: path for _, identity, path in members}
        contents: dict[object, object] = dict.fromkeys(files)
        if len(files) > 1:
            contents = {identity: _digest(path) for identity, path in files.items()}
        for _, identity, path in members:
            found[path] = contents[identity] or identity
    return found


def _digest(path: Path) -> bytes | None:
    """Return a hash of a file's content; None if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open_regular(path, BYTE_LIMIT) as file:
            while block := file.read(2**20):
                digest.update(block)
    except (OSError, ValueError):
        return None
    return digest.digest()
