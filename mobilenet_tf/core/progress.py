"""A live line per stage: what is done, how fast, how long it still takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mobilenet_tf.core.terminal import console


def bar() -> Progress:
    """The project's progress bar; a task carries the field `note`."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


@contextmanager
def picture_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work on pictures; gives a function of (pictures done, pictures in all)."""
    started = time.monotonic()
    with bar() as progress:
        task = progress.add_task(title, total=None, note="")

        def update(done: int, total: int) -> None:
            rate = done / max(time.monotonic() - started, 1e-6)
            progress.update(task, completed=done, total=total, note=f"{rate:.0f} pictures/s")

        yield update
