"""A live line per stage: how much is done, how fast, and the time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mobilenet_tf.core.terminal import console
from mobilenet_tf.core.text import clean


def bar() -> Progress:
    """Return the project's progress bar; each of its tasks has a field `note`."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
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
