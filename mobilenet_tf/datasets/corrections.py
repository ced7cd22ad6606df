"""Corrected labels of single pictures, which a source is read with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import same_name
from mobilenet_tf.datasets.plain import printable
from mobilenet_tf.datasets.sources.file_index import FileIndex
from mobilenet_tf.datasets.sources.label_files import LABEL_COLUMNS
from mobilenet_tf.datasets.sources.table import FILE_COLUMNS, named, read_table
from mobilenet_tf.datasets.sources.walk import folders_named
from mobilenet_tf.datasets.splitting import Listing

LEFT_OUT = "-"  # in place of a label
GIVEN = "given"  # column of the label that the data has
_REASON = "left out by --corrections"


def read_corrections(path: str | Path) -> dict[str, str]:
    """Read a table of files and labels, such as the one that `suspects` writes.

    Args:
        path: The table. A label that is empty or `-` leaves its file out. Rows whose label is the
            one in the column `given`, if there is such a column, correct nothing.

    Returns:
        File -> label, or `LEFT_OUT`.

    Raises:
        UserError: It cannot be read, or gives a file two labels.
    """
    table = read_table(Path(path))
    file, label = 0, 1
    if table.header is not None:
        files, labels = table.column(FILE_COLUMNS), table.column(LABEL_COLUMNS)
        if files is None or labels is None:
            raise UserError(
                f"{table.path} needs a column of files and one called label; its header is "
                f"{named(table.titles)}."
            )
        file, label = files, labels
    given = table.column((GIVEN,))
    found: dict[str, str] = {}
    for line, cells in table.rows:
        if given is not None and cells[label] == cells[given]:
            continue
        new = cells[label] or LEFT_OUT
        if found.setdefault(cells[file], new) != new:
            raise UserError(f"{table.path}, line {line} gives {cells[file]} another label again.")
    return found


def corrected(
    listing: Listing, corrections: Mapping[str, str], root: Path
) -> tuple[Listing, list[dict[str, str]]]:
    """Return the files of a source with corrected labels.

    Args:
        listing: The files.
        corrections: File -> name of a class, or `LEFT_OUT`.
        root: Folder to which the names of the files are relative.

    Returns:
        The files that are left, and {"file", "reason"} of the others.

    Raises:
        UserError: A file or a class is unknown, or images do not have one class each.
    """
    if not corrections:
        return listing, []
    if not listing.stratified:
        raise UserError("--corrections applies only to images with one class each.")
    rows = _rows(listing.names, corrections, root)
    classes = {same_name(name): label for label, name in enumerate(listing.classes)}
    labels, dropped = list(listing.labels), set[int]()
    for row, (file, new) in zip(rows, corrections.items(), strict=True):
        if new == LEFT_OUT:
            dropped.add(row)
        elif same_name(new) in classes:
            labels[row] = classes[same_name(new)]
        else:
            raise UserError(
                f"--corrections gives {file} the class {new!r}; it must be one of "
                f"{', '.join(listing.classes)}, or {LEFT_OUT} to leave the image out."
            )
    kept = [row for row in range(len(labels)) if row not in dropped]
    left = replace(listing, labels=labels).subset(np.array(kept, int))
    names = sorted(printable(listing.names[row]) for row in dropped)
    return left, [{"file": name, "reason": _REASON} for name in names]


def _rows(names: Sequence[str], files: Mapping[str, str], root: Path) -> list[int]:
    """Return the index of each corrected file."""
    known = {printable(name): row for row, name in enumerate(names)}
    index = FileIndex(root)
    rows = []
    with folders_named():
        for file in files:
            row = known.get(file, known.get(index.find(file) or ""))
            if row is None:
                raise UserError(
                    f"--corrections names {file}, which is none of the images of {root}."
                )
            rows.append(row)
    return rows
