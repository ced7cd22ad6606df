"""Tables of picture files, as CSV or JSON lines: one row per file, and columns by name."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import read_text_file
from mobilenet_tf.datasets.dataset import SPLITS
from mobilenet_tf.datasets.sources.json_lines import json_rows
from mobilenet_tf.datasets.sources.layout import split_of

JSON_LINES = (".jsonl", ".ndjson")
_SUFFIXES = (".csv", ".tsv", ".txt", *JSON_LINES)
FILE_COLUMNS = (
    *("file", "filename", "file_name", "filepath", "file_path", "path", "picture", "photo"),
    *("image", "images", "image_name", "image_path", "image_file", "image_id", "img", "name", "id"),
)
SPLIT_COLUMNS = ("split", "set", "subset", "partition", "fold")
GROUP_COLUMNS = ("group", "group_id")
_LARGEST = 2**26  # bytes
_DELIMITERS = ("\t", ",", ";", "|")
_TRIED = 200  # rows that decide the delimiter


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Attributes:
        path: The file.
        header: Names of the columns as `plain_name` returns them; None if it has no header.
        titles: The names as they are written.
        rows: Number of the line, and the cells without spaces around them.
        delimiter: What separates cells.
    """

    path: Path
    header: tuple[str, ...] | None
    titles: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]
    delimiter: str

    def column(self, names: Sequence[str]) -> int | None:
        """Return the index of the column with the first of these names that there is, or None."""
        header = self.header or ()
        return next((header.index(name) for name in names if name in header), None)

    def groups(self) -> list[str] | None:
        """Return the group of each row, "" for none; None without such a column."""
        column = self.column(GROUP_COLUMNS)
        return None if column is None else [cells[column] for _, cells in self.rows]

    def splits(self) -> list[str] | None:
        """Return the split of each row, one of `SPLITS`; None without such a column.

        Raises:
            UserError: A cell names no split.
        """
        column = self.column(SPLIT_COLUMNS)
        if column is None:
            return None
        found = []
        for line, cells in self.rows:
            split = split_of(cells[column])
            if split not in SPLITS:
                raise UserError(
                    f"{self.path}, line {line}: {self.titles[column]} is {cells[column]!r}; it "
                    "must be train, validation or test."
                )
            found.append(split)
        return found


def is_table(path: Path) -> bool:
    """Return whether a source is a table by its name, and no folder."""
    return path.suffix.lower() in _SUFFIXES and not path.is_dir()


def plain_name(title: str) -> str:
    """Return the form in which names of columns are compared."""
    name = unicodedata.normalize("NFC", title).strip().casefold()
    return name.replace(" ", "_").replace("-", "_")


def read_table(path: Path, most: int = 2) -> Table:
    """Read a table whose first row may be a header: it is one if it names a column of files.

    The delimiter, a tab, comma, semicolon or bar, is the first that gives all rows the same number
    of cells. UTF-8 is read, and UTF-16 and UTF-32 with their mark. The columns of JSON lines are
    the keys of their objects.

    Args:
        path: The file.
        most: Number of columns of a table without a header.

    Raises:
        UserError: The file cannot be read, it has no rows, or its rows differ in length.
    """
    text = read_text_file(path, _LARGEST)
    if path.suffix.lower() in JSON_LINES:
        return _from_json_lines(path, text)
    delimiter = _delimiter(text)
    rows = list(_cells(path, text, delimiter))
    if not rows:
        raise UserError(f"{path} is empty; it needs a row for each picture.")
    titles = rows[0][1]
    header: tuple[str, ...] | None = tuple(map(plain_name, titles))
    if header and set(header) & set(FILE_COLUMNS):
        rows, wanted = rows[1:], f"the header has {len(titles)}"
    else:
        header, titles = None, tuple(f"column {index + 1}" for index in range(most))
        wanted = f"{most} are needed without a header"
    for line, cells in rows:
        if len(cells) != len(titles):
            raise UserError(f"{path}, line {line} has {len(cells)} cells; {wanted}.")
    return Table(path, header, titles, rows, delimiter)


def _from_json_lines(path: Path, text: str) -> Table:
    titles, rows = json_rows(path, text)
    header = tuple(map(plain_name, titles))
    if not set(header) & set(FILE_COLUMNS):
        raise UserError(
            f"{path} has no key of files, such as file or file_name; it has {named(titles)}."
        )
    return Table(path, header, tuple(titles), [(n, tuple(cells)) for n, cells in rows], ",")


def _delimiter(text: str) -> str:
    """Return the first delimiter that divides all of the first rows into as many cells."""
    for delimiter in _DELIMITERS:
        tried = islice(_rows(text, delimiter), _TRIED)
        try:
            widths = {len(cells) for _, cells in tried}
        except csv.Error:
            continue
        if len(widths) == 1 and widths.pop() > 1:
            return delimiter
    return ","


def _cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        yield from _rows(text, delimiter)
    except csv.Error as error:
        raise UserError(f"{path} cannot be read as a table: {error}.") from error


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the rows that are not blank, without the empty cells that spreadsheets append."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width = 0
    for row in reader:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        while len(cells) > max(width, 1) and not cells[-1] and width:
            cells.pop()
        width = width or len(cells)
        yield reader.line_num, tuple(cells)


def named(cells: Sequence[str], limit: int = 6) -> str:
    """Return the first few of some texts, for errors."""
    return ", ".join(map(repr, cells[:limit])) + ", ..." * (len(cells) > limit)
