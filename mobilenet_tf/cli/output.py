"""Print results: JSON or tables on standard output, progress and paths on standard error."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.text import Text

from mobilenet_tf.cli.tables import run_table
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.terminal import announce, console, say, wide_enough
from mobilenet_tf.core.text import clean

if TYPE_CHECKING:
    from mobilenet_tf.runs.folder import RunFolder


def show(
    result: dict[str, Any],
    as_json: bool,
    render: Callable[[dict[str, Any]], RenderableType] | None = None,
) -> None:
    """Print a result on standard output: as one JSON object, or as `render` shows it."""
    if as_json or render is None:
        print(json_text(result))
        return
    found = render(result)
    for part in found.renderables if isinstance(found, Group) else (found,):
        # A path or a command that is longer than a line stays whole, so that it can be copied.
        if isinstance(part, Text):
            part = Text("\n".join(map(clean, part.plain.split("\n"))))
        wide_enough(Console()).print(part, soft_wrap=isinstance(part, Text), crop=False)


def show_answers(
    result: dict[str, Any],
    as_json: bool,
    render: Callable[[dict[str, Any]], RenderableType],
) -> None:
    """Print what is said about images, and which could not be read.

    Raises:
        typer.Exit: Some could not; the exit code is 1.
    """
    show(result, as_json, render)
    show_failed(result["failed"])


def show_failed(failed: Sequence[Mapping[str, str]]) -> None:
    """Say which images could not be read, and why.

    Raises:
        typer.Exit: There are some; the exit code is 1.
    """
    for one in failed:
        announce(f"{one['image']} cannot be read as an image: {one['reason']}.")
    if failed:
        raise typer.Exit(1)


def print_run(folder: "RunFolder", *files: str) -> None:
    """Print the metrics of a run and the paths of files.

    Args:
        folder: The run folder.
        files: Names of properties of `RunFolder`, such as `report`.
    """
    console.print(run_table(folder.result()))
    for name in files:
        print_path(getattr(folder, name))


def print_path(path: Path) -> None:
    """Print a path in one piece."""
    say(str(path))
