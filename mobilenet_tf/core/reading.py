"""Reading files that may come from anywhere: only regular files, bounded, in a known encoding."""

import codecs
import os
import stat
from pathlib import Path
from typing import BinaryIO

from mobilenet_tf.core.errors import UserError

TEXT_LIMIT = 64 * 2**20  # bytes of a text file; recipes have one thousandth of a megabyte

# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotRegular(OSError):
    """A path leads to a pipe, a socket or a device."""


class TooLarge(OSError):
    """A file has more bytes than its kind can need."""


def open_regular(path: str | Path, limit: int) -> BinaryIO:
    """Open a regular file of at most `limit` bytes for reading.

    A pipe without a writer does not block: it is opened without waiting, and then refused.

    Raises:
        NotRegular, TooLarge: As their names say, with `strerror` as a clause.
        OSError: The file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            raise IsADirectoryError(21, "it is a folder", str(path))
        if not stat.S_ISREG(facts.st_mode):
            raise NotRegular(22, "it is a pipe, a socket or a device, not a file", str(path))
        if facts.st_size > limit:
            size = f"it has {facts.st_size:,} bytes; at most {limit:,} are read"
            raise TooLarge(27, size, str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: Path, limit: int = TEXT_LIMIT) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises:
        FileNotFoundError: It does not exist.
        UserError: It cannot be read, is not a regular file, or is too large.
    """
    try:
        with open_regular(path, limit) as file:
            content = file.read(limit + 1)  # it may grow while it is read
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read: {reason}.") from error
    if len(content) > limit:
        raise UserError(f"{path} cannot be read: it has more than {limit:,} bytes.")
    return content


def read_text_file(path: Path, limit: int = TEXT_LIMIT) -> str:
    """Read a text file in UTF-8, or in UTF-16 or UTF-32 if it begins with their mark.

    Raises:
        UserError: The file cannot be read, is too large or is in another encoding.
    """
    try:
        return decode_text(read_bounded(path, limit), str(path))
    except FileNotFoundError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def decode_text(content: bytes, name: str) -> str:
    """Decode text as `read_text_file` does; `name` is what errors call it.

    Raises:
        UserError: It is in another encoding.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} is not UTF-8 text (byte {error.start + 1} is {content[error.start]:#04x}); "
            "save it as UTF-8."
        ) from error
    if "\0" in text:  # what UTF-16 without a mark looks like
        raise UserError(f"{name} is not UTF-8 text: it has null characters; save it as UTF-8.")
    return text


def text_lines(text: str) -> list[str]:
    """Return the lines of a list with one entry per line, without blank lines at the end.

    Only line feeds and carriage returns end a line: a label may contain U+2028 and its kind.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
