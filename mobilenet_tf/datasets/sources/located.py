"""Where the pictures of a source are: a table, a folder, or either of them in a .zip."""

import os
from collections.abc import Collection
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.sources.archive import unpacked
from mobilenet_tf.datasets.sources.table import FILE_COLUMNS, is_table, read_table

# Tables that describe the pictures of their folder, the first of which counts; metadata.csv is
# that of Hugging Face's imagefolder.
_BESIDE = tuple(
    f"{stem}{suffix}" for stem in ("metadata", "labels") for suffix in (".csv", ".tsv", ".jsonl")
)


def located(source: str | Path, columns: Collection[str]) -> Path:
    """Return the table or the folder that a source means.

    A folder with a table of its pictures, such as `metadata.csv`, means this table, if it has a
    column of files and one of those that the task needs; other tables are not about labels.

    Args:
        source: Path of a table, a folder, or a .zip of either.
        columns: Names of columns of which a table in a folder needs one, as `plain_name` returns
            them.

    Raises:
        UserError: An archive cannot be unpacked; or see `read_table`.
    """
    path = unpacked(Path(source))
    if is_table(path):
        return path
    for table in (path / name for name in _BESIDE):
        if os.path.isfile(table):  # False, and no error, for a path that is too long
            header = set(_header(table))
            if header & set(FILE_COLUMNS) and header & set(columns):
                return table
    return path


def _header(table: Path) -> tuple[str, ...]:
    try:
        return read_table(table).header or ()
    except UserError:  # whatever it is, it does not describe pictures
        return ()
