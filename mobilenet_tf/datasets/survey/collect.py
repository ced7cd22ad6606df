"""Measure many pictures, and remember what was measured until a file changes."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import PIL

from mobilenet_tf.core.cache import DiskCache, cache_file
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.dataset import Progress
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.opening import UnreadableImage
from mobilenet_tf.datasets.sources.archive import is_unpacked
from mobilenet_tf.datasets.survey.facts import THUMB, VERSION, Facts, facts_of

WORTH_KEEPING = 1000  # pictures; fewer are measured again within seconds


def measure(
    root: Path, names: Sequence[str], decoders: Decoders, progress: Progress | None = None
) -> list[Facts | str]:
    """Return the facts of each picture, or why it cannot be read, as a clause.

    Args:
        root: Folder to which the names are relative; they may be absolute, too.
        names: The files.
        decoders: Processes that decode them.
        progress: Called with the number of finished images and of all images.
    """
    root = root.resolve()
    place = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    kept = len(names) >= WORTH_KEEPING and not is_unpacked(root)
    file = cache_file(f"pictures/{place}.json") if kept else None
    cache = DiskCache(f"facts {VERSION} by Pillow {PIL.__version__}", file, _is_entry)
    keys = [_key(root, name) for name in names]
    new = [row for row, key in enumerate(keys) if key not in cache.values]
    total, done = len(names), len(names) - len(new)
    read = decoders.read([root / names[row] for row in new], THUMB, "facts")
    for row, one in zip(new, read, strict=True):
        cache.values[keys[row]] = one.reason if isinstance(one, UnreadableImage) else one.facts
        done += 1
        if progress:
            progress(done, total)
    known = {key: cache.values[key] for key in keys}
    if new:
        cache.values = known  # files that are gone are forgotten
        cache.save()
    return [one if isinstance(one := known[key], str) else facts_of(one) for key in keys]


def _key(root: Path, name: str) -> str:
    """Return what changes when a file does."""
    try:
        facts = (root / name).stat()
    except (OSError, ValueError):  # reading it says what it is
        return f"{name} is gone"
    return f"{name} {facts.st_size} {facts.st_mtime_ns}"


def _is_entry(value: Any) -> bool:
    if isinstance(value, str):
        return True
    try:
        facts_of(value)
    except (UserError, TypeError, ValueError, KeyError):
        return False
    return True
