"""Many images: their names on standard input, and results on standard output as they are found."""

import csv
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text

Write = Callable[[dict[str, Any]], list[dict[str, str]]]


def with_standard_input(named: Sequence[str]) -> list[str]:
    """Return names of images with those on standard input in place of each `-`.

    Raises:
        UserError: There are more than anybody's list needs.
    """
    from mobilenet_tf.core.reading import TEXT_LIMIT
    from mobilenet_tf.datasets.picture_paths import STANDARD_INPUT, listed_paths

    found: list[str] = []
    for name in named:
        if name != STANDARD_INPUT:
            found.append(name)
            continue
        content = sys.stdin.buffer.read(TEXT_LIMIT + 1)
        if len(content) > TEXT_LIMIT:
            raise UserError(f"Standard input has more than {TEXT_LIMIT:,} bytes of names.")
        found += listed_paths(content)
    return found


def writer_of(form: str) -> Write:
    """Return a function that prints a part of what `predict` finds and returns what failed in it.

    Raises:
        UserError: The form is not csv or jsonl.
    """
    writers: dict[str, Callable[[], Write]] = {"csv": _csv, "jsonl": lambda: _json_lines}
    if form not in writers:
        raise UserError(f"format is {form!r}; it must be one of {', '.join(writers)}.")
    return writers[form]()


def _json_lines(part: dict[str, Any]) -> list[dict[str, str]]:
    for one in part["predictions"]:
        print(json_text(one))
    return _written(part)


def _csv() -> Write:
    from mobilenet_tf.tasks.registry import task_from_dict

    lines = csv.writer(sys.stdout, lineterminator="\n")
    headed = False

    def write(part: dict[str, Any]) -> list[dict[str, str]]:
        nonlocal headed
        task = task_from_dict(part.get("task"), part["file"])
        if part["predictions"] and not headed:
            lines.writerow(["image", *task.columns])
            headed = True
        for one in part["predictions"]:
            # An image in which nothing was found has a row too.
            for entry in one.get(task.entries, [one]) or [{}]:
                cells = [({**one, **entry}).get(column, "") for column in task.columns]
                lines.writerow([one["image"], *map(_cell, cells)])
        return _written(part)

    return write


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _written(part: dict[str, Any]) -> list[dict[str, str]]:
    sys.stdout.flush()  # what was found stays if the command is stopped
    failed: list[dict[str, str]] = part["failed"]
    return failed
