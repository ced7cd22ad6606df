"""Measurements that stay true until something of what measured them changes."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mobilenet_tf.core.files import write_text

_SAVE_EVERY = 10
Progress = Callable[[str, int, int], None]  # what is being done, done, of


def cache_file() -> Path:
    """Where measurements are kept: `measured.json` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mobilenet_tf" / "measured.json"


class Kept:
    """A part of the kept file, as a dictionary.

    Args:
        measured_by: processor or device, and versions: values of others are never mixed in.
        path: of the file; `cache_file()` if not given.
    """

    def __init__(self, measured_by: str, path: Path | None = None):
        self.measured_by, self.path = measured_by, path or cache_file()
        self.values: dict = self._read().get(measured_by, {})

    def _read(self) -> dict:
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # absent or damaged: measured again

    def save(self) -> None:
        """Write the values beside those of others."""
        table = self._read() | {self.measured_by: self.values}
        write_text(self.path, json.dumps(table, indent=1) + "\n")

    def fill(self, found: Iterable[dict], total: int, progress: Callable | None = None) -> None:
        """Take in values as they come, and save now and then: a kill costs little.

        Args:
            found: pieces of values.
            total: how many pieces come.
            progress: called with (pieces, total).
        """
        for done, values in enumerate(found, start=1):
            self.values |= values
            if done % _SAVE_EVERY == 0 or done == total:
                self.save()
            if progress:
                progress(done, total)
