"""List folders and files of a dataset: links are followed, litter and loops are not."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.own_output import is_own_output

# Files that operating systems leave behind. Names that begin with a dot are ignored too.
_LITTER = {"thumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}
# Deeper folders are no dataset: a path of theirs soon exceeds what the system accepts.
DEPTH_LIMIT = 64
_LONGEST_NAME = 200  # of a path in an error
_PICTURES = {
    *(".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"),
    *(".heic", ".heif", ".avif", ".jp2", ".ppm", ".pgm", ".pnm", ".tga"),
}

Note = Callable[[Path, str], None]  # path and reason of what is left out


@contextmanager
def folders_named() -> Iterator[None]:
    """Turn a folder that the system does not list into the user's error.

    Raises:
        UserError: A folder cannot be read.
    """
    try:
        yield
    except OSError as error:
        name = str(error.filename)
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        raise UserError(f"{shown} cannot be read: {error.strerror}.") from error


def children(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without litter."""
    with os.scandir(folder) as entries:
        return sorted(
            Path(entry.path) for entry in entries if not is_litter(entry.name) and _is_folder(entry)
        )


def is_litter(name: str) -> bool:
    """Return whether an operating system or an archive program left a file of this name."""
    return name.startswith(".") or name.lower() in _LITTER


def is_picture(name: str) -> bool:
    """Return whether a file's name is that of a picture."""
    return os.path.splitext(name)[1].lower() in _PICTURES


def loose_pictures(folder: Path) -> list[Path]:
    """Return the files directly in a folder whose names are those of pictures, sorted."""
    return sorted(_loose_pictures(folder))


def has_loose_pictures(folder: Path) -> bool:
    """Return whether there are pictures directly in a folder."""
    return any(True for _ in _loose_pictures(folder))


def _loose_pictures(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_picture(entry.name) and not is_litter(entry.name) and not _is_folder(entry):
                yield Path(entry.path)


def holds_pictures(folder: Path) -> bool:
    """Return whether there are pictures in a folder or up to two levels below it."""
    level = [folder]
    for _ in range(3):
        if any(map(has_loose_pictures, level)):
            return True
        level = [below for one in level for below in children(one) if not is_own_output(below)]
    return False


def files_below(top: Path, read: Collection[Path], note: Note) -> list[Path]:
    """Return all files below a folder, sorted.

    Links to folders are followed. A folder is read once: another link to it, a link to one of the
    folders around it, and a link into a class are left out.

    Args:
        top: The folder.
        read: The folders of all classes, resolved.
        note: Called with the path of every folder that is left out, and the reason.

    Raises:
        OSError: A folder cannot be read.
    """
    found: list[Path] = []
    visited = {identity(folder) for folder in (top, *top.resolve().parents)}
    waiting = [(top, 0)]
    while waiting:
        folder, depth = waiting.pop()
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            path = Path(entry.path)
            if is_litter(entry.name):
                continue
            if not _is_folder(entry):
                found.append(path)
            elif is_own_output(path):
                note(path, "it was written by mobilenet_tf")
            elif depth == DEPTH_LIMIT:
                note(path, f"it lies in more than {DEPTH_LIMIT} folders")
            elif identity(path) in visited or (entry.is_symlink() and _within(path, read)):
                note(path, "it is a link to a folder that is read already")
            else:
                visited.add(identity(path))
                waiting.append((path, depth + 1))
    return sorted(found)


def _within(link: Path, folders: Collection[Path]) -> bool:
    target = link.resolve()
    return any(target.is_relative_to(folder) for folder in folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself; reading it says so
        return False


def identity(folder: Path) -> tuple[int, int]:
    """Return what two names of one folder have in common."""
    facts = folder.stat()
    return facts.st_dev, facts.st_ino
