"""The zip that follows a `.tflite`, with its labels."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress

from mobilenet_tf.deployment.tflite.limits import LABELS_BYTES, ZIP_FILES, BeyondLimit

# What reading a zip raises. An unknown compression is a RuntimeError, and so is JSON that is nested
# too deeply.
ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(KeyError, ValueError, EOFError, RuntimeError, OSError, OverflowError),
)


def append_zip(content: bytes, files: Mapping[str, str | bytes]) -> bytes:
    """Append uncompressed files; their offsets count from the first byte of the model."""
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            # With a fixed date, equal contents give equal files.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return stream.getvalue()


def read_zip(content: bytes, file: str) -> bytes:
    """Return the content of a file in the zip.

    Raises:
        BeyondLimit: It is too long, or compressed by a method that cannot be stopped on the way.
    """
    # Every entry of the directory, which is read as a whole, begins with this mark.
    if content.count(b"PK\x01\x02") > ZIP_FILES:
        raise BeyondLimit(f"is one of more than {ZIP_FILES:,} files")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        facts = archive.getinfo(file)
        if facts.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BeyondLimit("is compressed by another method than deflate")
        with archive.open(facts) as member:
            text = member.read(LABELS_BYTES + 1)
    if len(text) > LABELS_BYTES:
        raise BeyondLimit(f"has more than {LABELS_BYTES:,} bytes")
    return text


def read_all(content: bytes) -> dict[str, bytes]:
    """Return file name -> content of the zip, without what is damaged or beyond the limits."""
    files, left = {}, LABELS_BYTES
    with suppress(*ZIP_DAMAGE), zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist()[:ZIP_FILES]:
            with suppress(*ZIP_DAMAGE):
                data = read_zip(content, name)
                left -= len(data)
                if left >= 0:
                    files[name] = data
    return files
