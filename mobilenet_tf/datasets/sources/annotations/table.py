"""Boxes in a CSV table: a row per object."""

import csv
from io import StringIO

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import read_text_file
from mobilenet_tf.datasets.sources.annotations.boxes import Annotations, Box, Boxed
from mobilenet_tf.datasets.sources.annotations.files import Files, numbers, split_in

# What the columns are called: here, and in the tables of TensorFlow's tutorials and of others.
_COLUMNS = {
    "file": ("file", "filename", "image", "image_path", "path"),
    "label": ("label", "class", "class_name", "name"),
    "left": ("left", "xmin", "x_min", "x1"),
    "top": ("top", "ymin", "y_min", "y1"),
    "right": ("right", "xmax", "x_max", "x2"),
    "bottom": ("bottom", "ymax", "y_max", "y2"),
}
_OPTIONAL = {"width": ("width",), "height": ("height",), "split": ("split", "set")}


def read_table(files: Files) -> Annotations:
    """Read every CSV table below a folder, of pictures below it.

    Columns are found by their names in the first row: file, label, left, top, right and bottom in
    pixels; width and height of the picture and its split, if they are there. A row with an empty
    label names a picture that shows background only.

    Raises:
        UserError: A table lacks a column.
    """
    found = Annotations()
    boxes: dict[str, list[Box]] = {}
    facts: dict[str, tuple[tuple[float, float] | None, str | None]] = {}
    for name in files.ending(".csv"):
        for number, row in enumerate(_rows(files, name), start=2):
            picture = files.picture(row["file"], name)
            if picture is None:
                found.skip(row["file"][:200], "the picture is missing")
                continue
            facts.setdefault(picture, (_size(row), _split(row, picture, name)))
            own = boxes.setdefault(picture, [])
            edges = numbers(row[side] for side in ("left", "top", "right", "bottom"))
            if row["label"] and edges:
                left, top, right, bottom = edges
                own.append(Box(row["label"], (left, top, right, bottom)))
            elif row["label"]:
                found.skip(name, f"row {number:,} has no box of four numbers")
    for picture, own in boxes.items():
        size, split = facts[picture]
        found.pictures.append(Boxed(picture, tuple(own), size, split))
    return found


def _rows(files: Files, name: str) -> list[dict[str, str]]:
    try:
        lines = list(csv.reader(StringIO(read_text_file(files.root / name))))
    except csv.Error as error:
        raise UserError(f"{files.root / name} is not a CSV table: {error}.") from error
    header = [title.strip().lower() for title in lines[0]] if lines else []
    places: dict[str, int] = {}
    for column, titles in (_COLUMNS | _OPTIONAL).items():
        known = [header.index(title) for title in titles if title in header]
        if known:
            places[column] = known[0]
        elif column in _COLUMNS:
            raise UserError(
                f"{files.root / name} has no column {column!r}; it must have one of "
                f"{', '.join(titles)}."
            )
    return [
        {column: line[at].strip() if at < len(line) else "" for column, at in places.items()}
        for line in lines[1:]
        if any(line)
    ]


def _size(row: dict[str, str]) -> tuple[float, float] | None:
    sides = numbers((row.get("width", ""), row.get("height", "")))
    return (sides[0], sides[1]) if sides and all(0 < side < 1e6 for side in sides) else None


def _split(row: dict[str, str], picture: str, name: str) -> str | None:
    """Return the split that its column, the picture's folder or the table's name tells."""
    stem = name.rpartition("/")[2].rpartition(".")[0].replace("_", "/")
    return split_in(f"{row.get('split', '')}/") or split_in(picture) or split_in(f"{stem}/")
