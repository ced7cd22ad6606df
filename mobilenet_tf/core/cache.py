"""What was found out once and is valid until something that it depends on changes."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_json


def cache_file(name: str) -> Path | None:
    """Return the path of a file in the user's cache folder; None without one.

    A user without a home has no cache.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "mobilenet_tf" / name


class DiskCache:
    """A dictionary that is saved to disk where this is possible.

    Args:
        about: What all values depend on, such as a device and the versions of tools; values of
            different ones share the file and are never mixed.
        path: The file; None keeps the values in memory only.
        accepts: Whether a value can be one; others are ignored.
    """

    def __init__(
        self,
        about: str,
        path: Path | None,
        accepts: Callable[[Any], bool] = lambda value: True,
    ):
        self.about, self.path = about, path
        values = self._read().get(about)
        values = values if isinstance(values, dict) else {}
        self.values: dict[str, Any] = {k: held for k, held in values.items() if accepts(held)}

    def _read(self) -> dict[str, Any]:
        try:
            table = read_json(self.path) if self.path else {}
        except UserError:
            return {}  # absent or damaged
        return table if isinstance(table, dict) else {}

    def save(self) -> None:
        """Write the values to the file, which others share, unless it cannot be written."""
        if self.path is None:
            return
        table = self._read() | {self.about: self.values}
        with suppress(UserError):  # it is only found out again next time
            write_json(self.path, table)
