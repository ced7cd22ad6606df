"""Reading and writing files so that a reader never sees half of one.

Every file is written beside its final name, flushed to disk and moved into place. A reader, or a
run that is resumed after a kill or a power failure, sees the old file or the new one.
"""

import json
import math
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import TEXT_LIMIT, read_text_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PARTIAL_PREFIX = ".partial-"
_LAST_ZIP_YEAR = 2107


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Call `write` with a temporary path beside `path`, then move the result into place.

    Raises:
        UserError: The disk is full or the folder is not writable.
    """
    partial = _partial(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _any_clock():
            write(partial)
        # Some file systems move the name first; after a power failure the file would be empty.
        _flush_to_disk(partial)
        os.replace(partial, path)
        _flush_to_disk(path.parent)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        if os.path.isdir(partial):
            shutil.rmtree(partial, ignore_errors=True)
        else:
            with suppress(OSError):  # it was never created, or its parent is not a folder
                partial.unlink()


def _partial(path: Path) -> Path:
    # The file's suffix stays last because Keras chooses the format by it.
    return path.with_name(f"{PARTIAL_PREFIX}{os.getpid()}-{path.name}")


def check_writable(path: Path) -> None:
    """Reject a path at which `write_atomically` cannot write, before there is anything to write.

    Raises:
        UserError: A name in it is too long, or a file stands where a folder is needed.
    """
    try:
        _partial(path).lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _any_clock() -> Iterator[None]:
    """Let zip files be written where the clock shows a year that they cannot have, such as 1970.

    NumPy and Keras write zip files, and Python's library gives their members the present date.
    """
    if 1980 <= time.localtime().tm_year <= _LAST_ZIP_YEAR:
        yield
        return
    plain = zipfile.ZipInfo

    class Dated(plain):  # type: ignore[valid-type, misc]
        def __init__(self, filename: str = "NoName", date_time: Any = None) -> None:
            super().__init__(filename)

    zipfile.ZipInfo = Dated  # type: ignore[misc]
    try:
        yield
    finally:
        zipfile.ZipInfo = plain  # type: ignore[misc]


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a binary file atomically; see `write_atomically`."""
    write_atomically(path, lambda partial: partial.write_bytes(content))


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically; see `write_atomically`."""
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically; see `write_atomically` and `json_text`."""
    write_text(path, json_text(value, indent=2) + "\n")


def json_text(value: Any, indent: int | None = None) -> str:
    """Return valid JSON, which has no NaN and no infinity: they become null."""
    return json.dumps(finite(value), indent=indent, allow_nan=False)


def finite(value: Any) -> Any:
    """Return plain values with None in place of numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def read_json(path: Path, limit: int = TEXT_LIMIT) -> Any:
    """Read a JSON file of at most `limit` bytes; it may have NaN, which is not valid.

    Raises:
        UserError: The file cannot be read, is too large or is not JSON.
    """
    return parse_json(read_text_file(path, limit), str(path))


def parse_json(text: str, source: str) -> Any:
    """Parse JSON as `read_json` does; `source` names the text in errors.

    Raises:
        UserError: The text is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is empty" if not text else "it is nested too deep"
        if text and isinstance(error, ValueError):
            reason = str(error)
        raise UserError(f"{source} is not valid JSON: {reason}.") from error


def folder_bytes(folder: Path) -> int:
    """Return how many bytes the files of a folder, and of those in it, have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_lines(path: Path, lines: Iterable[object]) -> None:
    """Write one line per item, atomically: the layout of `labels.txt`."""
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        UserError: The file cannot be read or is not valid TOML.
    """
    return parse_toml(read_text_file(path), str(path))


def toml_value(text: str) -> Any:
    """Return the value that a text has in TOML; a text that is no such value is itself."""
    try:
        return parse_toml(f"value = {text}", "the value")["value"]
    except UserError:
        return text


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Parse TOML; `source` names the text in errors.

    Raises:
        UserError: The text is not valid TOML.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # among them, an integer of thousands of digits
        raise UserError(f"{source} is not valid TOML: {error}.") from error
    except RecursionError as error:
        raise UserError(f"{source} is not valid TOML: its values are nested too deep.") from error
