"""LiteRT's library for AArch64, from its wheel: fetched once, and kept in the user's cache."""

import subprocess
import sys
import tempfile
import zipfile
from importlib import resources
from pathlib import Path

from mobilenet_tf.core.cache import cache_file
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_bytes
from mobilenet_tf.core.text import clean

_PACKAGE = "mobilenet_tf.deployment.devices.arm"
_PINNED = "litert.txt"  # version and hash, as pip reads them
_NAME = "libLiteRt.so"
_MEMBER = f"ai_edge_litert/{_NAME}"
_MOST_BYTES = 64 << 20
_SHOWN = 200  # characters of pip's reason


def litert_version() -> str:
    """Return the pinned version of LiteRT."""
    text = (resources.files(_PACKAGE) / _PINNED).read_text(encoding="utf-8")
    return text.partition("==")[2].split()[0]


def litert_library() -> Path:
    """Return the library, after fetching it with pip if it is not in the cache.

    Raises:
        UserError: There is no cache folder, or pip cannot fetch the wheel.
    """
    library = cache_file(f"aarch64/litert-{litert_version()}/{_NAME}")
    if library is None:
        raise UserError("LiteRT for AArch64 needs a cache folder; set XDG_CACHE_HOME.")
    if not library.is_file():
        with tempfile.TemporaryDirectory() as folder:
            write_bytes(library, _member(_fetched(Path(folder))))
    return library


def _fetched(folder: Path) -> Path:
    """Let pip download the wheel, of which it compares the hash, into a folder."""
    pinned = resources.files(_PACKAGE) / _PINNED
    with resources.as_file(pinned) as requirements:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"),
                *("--implementation", "cp", "--python-version", "3.11"),
                *("--platform", "manylinux_2_27_aarch64"),
                *("--dest", str(folder), "--requirement", str(requirements)),
            ],
            capture_output=True,
            text=True,
        )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise UserError(
            f"pip cannot fetch LiteRT {litert_version()} for AArch64: "
            f"{clean(lines[-1], _SHOWN).rstrip('.')}."
        )
    return wheels[0]


def _member(wheel: Path) -> bytes:
    """Return the library in a wheel."""
    with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as file:
        return file.read(_MOST_BYTES)
