"""Print results: JSON or tables on standard output, progress and paths on standard error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.tables import parts
from mobilenet_tf.core.terminal import announce, console, say, wide_enough

if TYPE_CHECKING:
    from mobilenet_tf.commands.outcomes.predictions import (
        Enrollment,
        Identification,
        Predictions,
    )
    from mobilenet_tf.core.outcome import Outcome
    from mobilenet_tf.runs.folder import RunFolder


def show(result: "Outcome", as_json: bool) -> None:
    """Print a result on standard output: as one JSON object, or as tables."""
    if as_json:
        print(json_text(result))
        return
    for part in parts(result):
        # A path or a command that is longer than a line stays whole, so that it can be copied.
        wide_enough(Console()).print(part, soft_wrap=isinstance(part, Text), crop=False)


def show_answers(result: "Predictions | Enrollment | Identification", as_json: bool) -> None:
    """Print what is said about images, and which could not be read.

    Raises:
        typer.Exit: Some could not; the exit code is 1.
    """
    show(result, as_json)
    show_failed(result.failed)


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
    console.print(folder.result())
    for name in files:
        print_path(getattr(folder, name))


def print_path(path: Path) -> None:
    """Print a path in one piece."""
    say(str(path))
