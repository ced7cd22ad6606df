"""A progress bar per activity, for work that consists of several."""

from collections.abc import Iterator
from contextlib import contextmanager

from mobilenet_tf.core.progress import bar
from mobilenet_tf.selection.cost import Progress


@contextmanager
def activity_progress() -> Iterator[Progress]:
    """Yield a function of (activity, items done, items in all) that updates the activity's bar."""
    with bar() as progress:
        tasks: dict = {}

        def update(activity: str, done: int, total: int) -> None:
            if activity not in tasks:
                tasks[activity] = progress.add_task(activity, total=total, note="")
            progress.update(tasks[activity], completed=done, note=f"{done} of {total}")

        yield update
