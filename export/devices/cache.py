"""Disk cache of measurements, keyed by device and tool versions."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_json
from mobilenet_tf.selection.cost import Progress

_SAVE_EVERY = 10


def cache_file() -> Path | None:
    """Return the path of the cache, `measured.json` in the user's cache folder; None without one.

    A user without a home has no cache.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "mobilenet_tf" / "measured.json"


class MeasurementCache:
    """The measurements of one device, as a dictionary that is saved to disk where this is possible.

    Args:
        measured_on: Processor or device and the versions of all tools; measurements of different
            ones are never mixed.
        path: The cache file; None takes `cache_file()`.
        accepts: Whether a value can be a measurement; others are measured again.
    """

    def __init__(
        self,
        measured_on: str,
        path: Path | None = None,
        accepts: Callable[[Any], bool] = lambda value: True,
    ):
        self.measured_on, self.path = measured_on, path or cache_file()
        values = self._read().get(measured_on)
        values = values if isinstance(values, dict) else {}
        self.values: dict[str, Any] = {k: held for k, held in values.items() if accepts(held)}

    def _read(self) -> dict[str, Any]:
        try:
            table = read_json(self.path) if self.path else {}
        except UserError:
            return {}  # absent or damaged: measure again
        return table if isinstance(table, dict) else {}

    def save(self) -> None:
        """Write the values to the file, which other devices share, unless it cannot be written."""
        if self.path is None:
            return
        table = self._read() | {self.measured_on: self.values}
        with suppress(UserError):  # measurements are only repeated next time
            write_json(self.path, table)

    def add(
        self,
        measurements: Iterable[dict[str, Any]],
        total: int,
        activity: str,
        progress: Progress | None = None,
    ) -> None:
        """Add measurements as they arrive, and save every few, so that a kill loses little.

        Args:
            measurements: Dictionaries of values.
            total: Number of dictionaries.
            activity: What is being measured, for `progress`.
            progress: Called with (activity, dictionaries so far, dictionaries in all).
        """
        for done, values in enumerate(measurements, start=1):
            self.values |= values
            if done % _SAVE_EVERY == 0 or done == total:
                self.save()
            if progress:
                progress(activity, done, total)
