"""Which files in a folder are this project's: a marker that nothing else writes.

Only what is known to be written by this project, and unchanged since, is replaced or removed.
"""

import hashlib
import sys
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_bytes, write_json
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.core.records import from_plain

MARKER = ".mobilenet_tf.json"
EXPORT = "export"
_LARGEST_MARKER = 2**20  # bytes


@dataclass(frozen=True, kw_only=True)
class Marker:
    """The content of a marker.

    Attributes:
        kind: What the folder holds: `run`, `trial`, `search`, `comparison`, `adaptation`, `model`,
            `assets` or `export`.
        identity: Names the run that wrote the folder; empty if that is unknown.
        target: Target of an export.
        files: File name -> sha256 of an export; file name -> origin of assets.
    """

    kind: str
    identity: str = ""
    target: str = ""
    files: dict[str, str] = field(default_factory=dict)


def new_identity() -> str:
    """Return a name that no other run has."""
    return uuid.uuid4().hex


def read_marker(folder: Path) -> Marker | None:
    """Return a folder's marker; None if there is none or it is damaged."""
    try:
        values = read_json(folder / MARKER, _LARGEST_MARKER)
        marker: Marker = from_plain(Marker, values, MARKER, strict=True)
    except UserError:
        return None
    return marker


def write_marker(folder: Path, marker: Marker) -> None:
    """Write a folder's marker.

    Raises:
        UserError: It cannot be written.
    """
    write_json(folder / MARKER, asdict(marker))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with open_regular(path, sys.maxsize) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def require_export(
    folder: Path, export: Marker, names: Iterable[str] = (), *, overwrite: bool = False
) -> None:
    """Check that an export may write into a folder.

    Args:
        folder: The folder; it need not exist.
        export: The marker of the export; its files are not used.
        names: The files that will be written, as far as they are known.
        overwrite: Whether to replace another export and files that were changed.

    Raises:
        UserError: The folder belongs to something else, or a file would be lost.
    """
    before = read_marker(folder)
    instead = "use --overwrite to replace it, or --out for another folder"
    if before is None and (folder / "config.toml").exists():
        raise UserError(f"{folder} holds a config.toml; --out must be a folder of its own.")
    if before is not None and before.kind != EXPORT:
        raise UserError(f"{folder} is the folder of a {before.kind}; use --out for another one.")
    if overwrite:
        return
    if before is not None and before.target != export.target:
        raise UserError(f"{folder} holds an export for {before.target}; {instead}.")
    if before is not None and before.identity and before.identity != export.identity:
        raise UserError(f"{folder} holds the export of another run; {instead}.")
    known = {} if before is None else before.files
    for name in sorted({*known, *names}):
        path = folder / name
        if path.exists() and known.get(name) != _digest(path):
            state = "has been changed since it was exported" if name in known else "exists already"
            raise UserError(f"{path} {state}; {instead}.")


def write_export(
    folder: Path, export: Marker, contents: Mapping[str, bytes], *, overwrite: bool = False
) -> None:
    """Write the files of an export, its marker last.

    Args:
        folder: Created if absent.
        export: The marker of the export; its files are not used.
        contents: File name -> content.
        overwrite: Whether to replace another export and files that were changed.

    Raises:
        UserError: See `require_export`; or a file cannot be written.
    """
    require_export(folder, export, contents, overwrite=overwrite)
    remove_export(folder, keep=contents)
    for name, content in contents.items():
        write_bytes(folder / name, content)
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    marker = Marker(kind=EXPORT, identity=export.identity, target=export.target, files=files)
    write_marker(folder, marker)


def remove_export(folder: Path, keep: Iterable[str] = ()) -> None:
    """Remove the files of an export that are unchanged, and the folder if it is empty then.

    Raises:
        UserError: A file cannot be removed.
    """
    marker = read_marker(folder)
    if marker is None or marker.kind != EXPORT or folder.is_symlink():
        return
    kept = set(keep)
    try:
        for name, digest in marker.files.items():
            path = folder / name
            if _is_below(folder, path) and name not in kept and _digest(path) == digest:
                path.unlink()
                _remove_empty(path.parent, folder)
        if not kept:
            (folder / MARKER).unlink(missing_ok=True)
            with suppress(OSError):  # it is not empty
                folder.rmdir()
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _is_below(folder: Path, path: Path) -> bool:
    """Whether a path of a marker stays in its folder, whoever wrote the marker."""
    inside = path.relative_to(folder).parts if path.is_relative_to(folder) else ()
    between = [folder.joinpath(*inside[:count]) for count in range(1, len(inside))]
    return bool(inside) and ".." not in inside and not any(map(Path.is_symlink, between))


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and those above it, below `top`, as far as they are empty."""
    with suppress(OSError):  # one is not empty
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _digest(path: Path) -> str | None:
    try:
        return sha256(path)
    except OSError:
        return None
