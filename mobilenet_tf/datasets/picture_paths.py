"""Which picture files a user means: files, all pictures of a folder, patterns such as `*.jpg`."""

import os
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.sources.walk import files_below, folders_named, is_picture

STANDARD_INPUT = "-"


def picture_paths(named: Iterable[str | Path]) -> list[str]:
    """Return the picture files that are meant, in the order given; those of a folder are sorted.

    A name that is neither a folder nor a pattern that matches something is returned as it is:
    reading it says what is wrong with it.

    Args:
        named: Files; folders, of which all pictures count, also in folders below; and patterns, in
            which `**` stands for any number of folders.

    Raises:
        UserError: A folder cannot be read or contains no pictures, or nothing is named.
    """
    found: list[str] = []
    for name in map(str, named):
        matched = [name]
        if has_magic(name) and not os.path.exists(name):
            matched = sorted(glob(name, recursive=True)) or matched
        for path in matched:
            found += _of_folder(Path(path)) if os.path.isdir(path) else [path]
    if not found:
        raise UserError("There are no images; at least 1 is needed.")
    return found


def _of_folder(folder: Path) -> list[str]:
    with folders_named():
        below = files_below(folder, [], lambda path, reason: None)
    found = [str(path) for path in below if is_picture(path.name)]
    if not found:
        raise UserError(f"{folder} contains no pictures.")
    return found


def listed_paths(content: bytes) -> list[str]:
    """Return the names in a list of files, one per line or each followed by a null byte.

    Names are what the file system has, in whatever encoding.
    """
    names = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [os.fsdecode(name) for name in names if name.strip()]
