"""Rows of JSON lines: an object per line, whose keys are the columns."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import text_lines

_BETWEEN = ";"  # the values of a list, as in a cell of a table


def json_rows(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the keys of all objects, and for each object its line and its values as text.

    A list of plain values becomes one text with semicolons, and null an empty one; so does a key
    that an object lacks. Keys with objects, such as boxes, are ignored.

    Raises:
        UserError: A line is not a JSON object.
    """
    objects = list(_objects(path, text))
    keys = list(dict.fromkeys(key for _, found in objects for key in found))
    return keys, [(line, [found.get(key, "") for key in keys]) for line, found in objects]


def _objects(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text_lines(text), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "it cannot be parsed")
            raise UserError(f"{path}, line {number} is not JSON: {reason}.") from error
        if not isinstance(values, dict):
            raise UserError(
                f'{path}, line {number} is not a JSON object such as {{"file": "1.jpg", '
                '"label": "cat"}.'
            )
        cells = ((key, _cell(value)) for key, value in values.items())
        yield number, {key: cell for key, cell in cells if cell is not None}


def _cell(value: Any) -> str | None:
    """Return a value as the text of a cell; None if it has parts of its own."""
    if isinstance(value, list):
        parts = [_cell(part) for part in value if not isinstance(part, list)]
        whole = len(parts) == len(value) and None not in parts
        return _BETWEEN.join(part or "" for part in parts) if whole else None
    if isinstance(value, dict):
        return None
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value).strip()
