"""Datasets in a .zip: unpacked into a temporary folder, within bounds, before anything is read."""

import os
import shutil
import stat
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path, PurePosixPath

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.datasets.formats import BYTE_LIMIT
from mobilenet_tf.datasets.sources.layout import split_of
from mobilenet_tf.datasets.sources.walk import DEPTH_LIMIT, is_litter

_LARGEST = 2**36  # bytes of an archive
_MOST_FILES = 1_000_000
# Pictures are compressed already; tables and uncompressed drawings shrink by less than this.
_MOST_EXPANSION = 200
_LONGEST_PART = 255  # bytes of a name
_BLOCK = 2**20
_PREFIX = "mobilenet_tf_unpacked_"


def is_archive(path: Path) -> bool:
    """Return whether a source is a .zip by its name, and no folder."""
    return path.suffix.lower() == ".zip" and not os.path.isdir(path)


def unpacked(path: Path) -> Path:
    """Return the folder with the content of a .zip; other paths are returned as they are.

    An archive is unpacked once per process, into a temporary folder that ends with the process. A
    folder that holds everything, as many programs pack one, is entered.

    Raises:
        UserError: The archive cannot be read, or is larger than a dataset can be, or has names
            that lead out of it, links or a password.
    """
    if not is_archive(path):
        return path
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from error
    folder = _unpacked(path.resolve(), facts.st_size, facts.st_mtime_ns)
    return _content(Path(folder.name) / path.name)


def is_unpacked(path: Path) -> bool:
    """Return whether a path lies in a folder to which an archive was unpacked."""
    return any(parent.name.startswith(_PREFIX) for parent in (path, *path.parents))


def _content(folder: Path) -> Path:
    """Return the folder, or the only thing in it if that is a folder and no split."""
    while True:
        inside = [entry for entry in folder.iterdir() if not is_litter(entry.name)]
        if len(inside) != 1 or not inside[0].is_dir() or split_of(inside[0].name):
            return folder
        (folder,) = inside


@lru_cache(maxsize=4)
def _unpacked(path: Path, size: int, changed: int) -> "tempfile.TemporaryDirectory[str]":
    """Unpack an archive; its size and time of change tell it from a later one of its name."""
    folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
    try:
        with open_regular(path, _LARGEST) as file, zipfile.ZipFile(file) as archive:
            members = _checked(path, archive, size)
            _unpack(archive, members, Path(folder.name) / path.name)
    except UserError:
        folder.cleanup()
        raise
    # Damaged archives make zipfile raise whatever its decompressors do.
    except Exception as error:
        folder.cleanup()
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise UserError(f"{path} cannot be unpacked: {str(reason).rstrip('.')}.") from error
    return folder


def _checked(path: Path, archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the files to unpack by their names, which are relative and lead nowhere else."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if info.is_dir() or (any(map(is_litter, name.parts)) and ".." not in name.parts):
            continue
        if refusal := _refusal(info, name):
            raise UserError(f"{path} cannot be unpacked: {str(name)[:200]!r} {refusal}.")
        if str(name) in members:
            raise UserError(f"{path} cannot be unpacked: it has {str(name)[:200]!r} twice.")
        members[str(name)] = info
    total = sum(info.file_size for info in members.values())
    if len(members) > _MOST_FILES or total > _MOST_EXPANSION * max(size, _BLOCK):
        raise UserError(
            f"{path} cannot be unpacked: it claims {len(members):,} files of {total:,} bytes; at "
            f"most {_MOST_FILES:,} files and {_MOST_EXPANSION} times its size are accepted."
        )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if total > free:
        raise UserError(
            f"{path} needs {total / 2**30:.1f} GB in {tempfile.gettempdir()}, which has "
            f"{free / 2**30:.1f} GB free; set TMPDIR to a larger disk, or unpack it yourself."
        )
    return members


def _refusal(info: zipfile.ZipInfo, name: PurePosixPath) -> str:
    """Return why a file is not unpacked, as a clause; empty if it is."""
    mode = info.external_attr >> 16
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        return "leads out of the archive"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.file_size > BYTE_LIMIT:
        return f"has more than {BYTE_LIMIT:,} bytes"
    longest = max(len(part.encode(errors="surrogateescape")) for part in name.parts)
    if len(name.parts) > DEPTH_LIMIT or longest > _LONGEST_PART:
        return "has a name that is too long"
    return ""


def _unpack(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], root: Path) -> None:
    root.mkdir()
    with picture_progress(f"Unpacking {root.name}") as progress:
        for done, (name, info) in enumerate(members.items(), 1):
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # zipfile ends a file at the size that was checked, whatever the data expand to.
            with archive.open(info) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file, _BLOCK)
            progress(done, len(members))
