"""LiteRT.js and its WebAssembly, fetched once by npm and verified by their hashes."""

import base64
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mobilenet_tf.core.cache import cache_file
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_bytes
from mobilenet_tf.core.reading import read_bounded
from mobilenet_tf.core.terminal import announce

_ARCHIVE_BYTES = 1 << 26
_SECONDS = 900


@dataclass(frozen=True)
class Package:
    """A package of npm.

    Attributes:
        name, version: What npm calls it.
        sha512: Hash of its archive in base64, which npm calls its integrity.
        files: Name in the archive -> name in the page's folder.
    """

    name: str
    version: str
    sha512: str
    files: Mapping[str, str]

    @property
    def archive(self) -> str:
        """Name that `npm pack` gives to the archive."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


# The builds for browsers with relaxed SIMD and without it; LiteRT.js tries which one it is.
_BUILDS = tuple(
    f"litert_wasm_{build}.{suffix}"
    for build in ("internal", "compat_internal")
    for suffix in ("js", "wasm")
)
LITERT = Package(
    "@litertjs/core",
    "2.5.3",
    "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
    {"dist/index.js": "litert/core.js", **{f"wasm/{name}": f"litert/{name}" for name in _BUILDS}},
)
WASM_UTILS = Package(
    "@litertjs/wasm-utils",
    "2.5.3",
    "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
    {"dist/index.js": "litert/wasm_utils.js"},
)
PACKAGES = (LITERT, WASM_UTILS)


def package_files(package: Package) -> dict[str, bytes]:
    """Return the files of a package that the page needs: name in its folder -> content.

    Raises:
        UserError: See `fetch`.
    """
    contents = {}
    with tarfile.open(fileobj=io.BytesIO(fetch(package))) as archive:
        for member, name in package.files.items():
            file = archive.extractfile(f"package/{member}")
            assert file is not None  # a file, in the archive whose hash is known
            contents[name] = file.read()
    return contents


def fetch(package: Package) -> bytes:
    """Return a package's archive from the user's cache; npm fetches it the first time.

    npm's own configuration decides from which registry.

    Raises:
        UserError: npm is absent or fails, or the archive has another hash.
    """
    cached = cache_file(f"npm/{package.archive}")
    if cached is not None:
        with suppress(OSError, UserError):  # it is absent, or no file
            content = read_bounded(cached, _ARCHIVE_BYTES)
            if _sha512(content) == package.sha512:
                return content
    announce(f"Fetching {package.name} {package.version} with npm, once.")
    content = _packed(package, cached)
    if _sha512(content) != package.sha512:
        raise UserError(
            f"npm delivers another {package.name} {package.version} than the one that is known "
            "here: its hash differs, so it is not used."
        )
    if cached is not None:
        with suppress(UserError):  # it is only fetched again next time
            write_bytes(cached, content)
    return content


def _packed(package: Package, cached: Path | None) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        place = "" if cached is None else f", or put {package.archive} into {cached.parent}"
        raise UserError(f"npm is needed to fetch {package.name} once; install it{place}.")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--loglevel=error", f"{package.name}@{package.version}"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"npm did not deliver {package.name} in {_SECONDS} seconds.") from None
        archive = Path(folder) / package.archive
        if done.returncode or not archive.is_file():
            raise UserError(f"npm cannot fetch {package.name}: {_reason(done.stderr)}.")
        return read_bounded(archive, _ARCHIVE_BYTES)


def _reason(log: str) -> str:
    """Return the first line of npm's log that is more than a code."""
    lines = [re.sub(r"^npm (error|ERR!) ?", "", line).strip() for line in log.splitlines()]
    said = [line for line in lines if line and not re.match(r"(code|errno|syscall|path) ", line)]
    return (said or ["no reason given"])[0].rstrip(".")


def _sha512(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode()
