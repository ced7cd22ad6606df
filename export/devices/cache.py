"""Disk cache of measurements, keyed by device and tool versions."""

from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Any

from mobilenet_tf.core.cache import DiskCache, cache_file
from mobilenet_tf.selection.cost import Progress

_SAVE_EVERY = 10


def is_quantity(value: Any) -> bool:
    """Return whether a value of a cache can be a number of milliseconds, bytes or instructions."""
    return type(value) in (int, float) and isfinite(value) and value >= 0


class MeasurementCache(DiskCache):
    """The measurements of one device.

    Args:
        measured_on: Processor or device and the versions of all tools; None if they are not fully
            known, and then the measurements are not kept.
        path: The cache file; None takes `measured.json` in the user's cache folder.
        accepts: Whether a value can be a measurement; others are measured again.
    """

    def __init__(
        self,
        measured_on: str | None,
        path: Path | None = None,
        accepts: Callable[[Any], bool] = lambda value: True,
    ):
        kept = None if measured_on is None else path or cache_file("measured.json")
        super().__init__(measured_on or "", kept, accepts)

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
