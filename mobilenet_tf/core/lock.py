"""A folder that is worked on belongs to one process, by a lock that ends with the process.

The lock is a `flock` on a file in the folder, so a process that is killed leaves nothing behind
that keeps others out.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from mobilenet_tf.core.errors import UserError

LOCK_NAME = ".lock"
_OTHERS_HOLD_IT = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

_depth: dict[Path, int] = {}  # folders that this process has locked -> nested blocks


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder while the block runs; the same process may nest blocks.

    The folder is created if it is absent, and removed again if the block leaves it empty.

    Raises:
        UserError: Another process is at work in it, it is a file, or it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; --out must be a folder.")
    place = folder.resolve()
    if place in _depth:
        _depth[place] += 1
        try:
            yield
        finally:
            _depth[place] -= 1
        return
    try:
        created = _create(place)
        descriptor = _lock(folder, place / LOCK_NAME)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error
    _depth[place] = 1
    try:
        yield
    finally:
        del _depth[place]
        with suppress(OSError):
            (place / LOCK_NAME).unlink()
        os.close(descriptor)
        _remove_empty(created)


def _create(folder: Path) -> list[Path]:
    """Create a folder; return the new folders, the innermost first."""
    new = [one for one in (folder, *folder.parents) if not os.path.exists(one)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_empty(new)
        raise
    return new


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # it was never created, or is in use by now
            folder.rmdir()


def _lock(folder: Path, path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 100, 0).decode(errors="replace").strip()
            os.close(descriptor)
            if error.errno in _OTHERS_HOLD_IT:
                raise UserError(
                    f"{folder} is in use by {holder or 'another process'}; wait until it has "
                    "ended, or use another folder."
                ) from error
            # Some network file systems have no locks; work goes on as it does without them.
            if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            raise
        # The process that held it may have removed the file meanwhile.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                break
        os.close(descriptor)
    since = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} since {since}\n".encode(), 0)
    return descriptor
