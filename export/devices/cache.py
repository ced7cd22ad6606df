"""Disk cache of measurements, keyed by device and tool versions."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.core.reading import read_bounded
from mobilenet_tf.selection.cost import Progress

_SAVE_EVERY = 10


def cache_file() -> Path:
    """Return the path of the cache: `measured.json` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mobilenet_tf" / "measured.json"


class MeasurementCache:
    """The measurements of one device, as a dictionary that is saved to disk.

    Args:
        measured_on: Processor or device and the versions of all tools; measurements of different
            ones are never mixed.
        path: The cache file; None takes `cache_file()`.
    """

    def __init__(self, measured_on: str, path: Path | None = None):
        self.measured_on, self.path = measured_on, path or cache_file()
        self.values: dict[str, Any] = self._read().get(measured_on, {})

    def _read(self) -> dict[str, Any]:
        try:
            return json.loads(read_bounded(self.path))
        except (OSError, ValueError):
            return {}  # absent or damaged: measure again

    def save(self) -> None:
        """Write the values to the file, which other devices share."""
        table = self._read() | {self.measured_on: self.values}
        write_text(self.path, json_text(table, indent=1) + "\n")

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
