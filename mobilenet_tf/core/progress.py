"""A live line per stage: how much is done, how fast, and the time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mobilenet_tf.core.terminal import console
from mobilenet_tf.core.text import clean

_WIDTH = 20  # characters of the bar of work in parts


def bar() -> Progress:
    """Return the project's progress bar; each of its tasks has a field `note`."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # in a file, a bar that is gone would leave an empty line
    )


@contextmanager
def picture_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar for work on images; yield a function of (images done, images in all)."""
    started = time.monotonic()
    with bar() as progress:
        task = progress.add_task(clean(title), total=None, note="")

        def update(done: int, total: int) -> None:
            rate = done / max(time.monotonic() - started, 1e-6)
            progress.update(task, completed=done, total=total, note=f"{rate:.0f} images/s")

        yield update


def overall(done: int, total: int, seconds: float, now: str) -> str:
    """Return one line on work in parts: a bar, how many are done, the rate, and the time left.

    Args:
        done: Number of finished parts.
        total: Number of parts.
        seconds: Mean duration of a part; 0 if unknown.
        now: The part that begins.
    """
    filled = round(_WIDTH * done / total)
    line = f"{'━' * filled}{'╌' * (_WIDTH - filled)} {done} of {total}"
    if seconds:
        line += f", {seconds:.0f} s each, {timedelta(seconds=round(seconds * (total - done)))} left"
    return f"{line}: {now}"
