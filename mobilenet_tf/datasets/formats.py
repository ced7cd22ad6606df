"""Which image files are decoded at all, and how many pixels at a time.

This is decided from the first bytes of a file, before a decoder allocates memory for it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO

from mobilenet_tf.datasets.headers import avif_pixels, jpeg2000, several_scans, webp_pixels

# The formats of photographs and drawings. Others, such as EPS, would start programs. The first
# five come first because Pillow loads all of its other decoders when it meets one of the rest.
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "PPM"),
    *("WEBP", "TIFF", "JPEG2000", "DIB", "TGA"),
    *(["AVIF"] if find_spec("PIL.AvifImagePlugin") else []),  # absent from Pillow before 11.3
)

# Above the 108 million pixels of the largest phone cameras; 400 MB when decoded.
PIXEL_LIMIT = 128_000_000
BYTE_LIMIT = 2**29  # of a file; uncompressed, the most pixels have three quarters of this
SECONDS = 60.0  # in which a file is read, decoded and resized
MEMORY = 4 * 2**30  # bytes of a process that decodes
HEAD = 4096  # first bytes of a file, which are read before it is decoded
TOO_MANY_PIXELS = f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels"
TOO_MUCH_MEMORY = "its decoder needs too much memory"
TOO_DEEP = f"it has more than {PIXEL_LIMIT // 2_000_000} million pixels of 32 bits"

# Scans times pixels of a JPEG: the largest photo with 16 scans; usual are about 10.
_SCANNED_LIMIT = 16 * PIXEL_LIMIT
_MOST_SCANS = 1000
# A JPEG 2000 decoder holds 16 bytes per pixel. Smaller pictures are decoded whole.
_JPEG2000_WEIGHT = 4
_JPEG2000_WHOLE = 16_000_000


class PixelsInFlight:
    """The pixels that all decoders together may hold in memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, pixels: int) -> Iterator[None]:
        """Wait until so many pixels are free. An image above the limit waits to be alone."""
        pixels = min(pixels, self._limit)
        with self._changed:
            self._changed.wait_for(lambda: self._held + pixels <= self._limit)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()


IN_FLIGHT = PixelsInFlight(PIXEL_LIMIT)


@dataclass(frozen=True)
class Plan:
    """How a file is decoded.

    Attributes:
        refusal: Why it is not, as a clause; empty if it is.
        pixels: Pixels to reserve before it is opened; 0 if its size is known only afterwards.
        halvings: How often a JPEG 2000 is halved while it is decoded.
    """

    refusal: str = ""
    pixels: int = 0
    halvings: int = 0


def plan(head: bytes, file: BinaryIO, at_least: int | None) -> Plan:
    """Decide how a file is decoded.

    Pillow's readers of the formats that are not looked at here allocate nothing for a picture
    before its size can be compared with the limit.

    Args:
        head: The first `HEAD` bytes.
        file: The file, at its beginning, to which it returns.
        at_least: Number of pixels that the shorter side needs; None for full size.
    """
    if pixels := webp_pixels(head) or avif_pixels(head):
        return Plan(TOO_MANY_PIXELS * (pixels > PIXEL_LIMIT), pixels)
    if pixels := several_scans(file):
        return Plan(_scans_refusal(file, pixels), pixels)
    if found := jpeg2000(file):
        if found.pixels > PIXEL_LIMIT:
            return Plan(TOO_MANY_PIXELS)
        halvings, pixels = 0, found.pixels
        if at_least and pixels > _JPEG2000_WHOLE:
            while halvings < found.halvings and found.shorter >> halvings + 1 >= at_least:
                halvings, pixels = halvings + 1, pixels // 4
        if pixels * _JPEG2000_WEIGHT > PIXEL_LIMIT:
            most = PIXEL_LIMIT // _JPEG2000_WEIGHT // 1_000_000
            return Plan(f"it is a JPEG 2000 of more than {most} million pixels; save it as JPEG")
        return Plan(pixels=pixels * _JPEG2000_WEIGHT, halvings=halvings)
    return Plan()


def unknown_format(head: bytes) -> str:
    """Return why a file that is none of `FORMATS` is not read, as a clause."""
    if head[4:8] == b"ftyp":
        return "it is HEIC or a video; save it as JPEG or PNG"
    if head.startswith((b"%!PS", b"%PDF", b"\xc5\xd0\xd3\xc6")):
        return "it is PostScript or PDF; save it as JPEG or PNG"
    return "it has no known image format"


def _scans_refusal(file: BinaryIO, pixels: int) -> str:
    scans, last = 0, b""
    while block := file.read(2**20):
        # Within compressed data a byte 0xFF is followed by 0, so this is only found as a marker.
        scans += (last + block).count(b"\xff\xda")
        last = block[-1:]
    file.seek(0)
    if scans > _MOST_SCANS or scans * pixels > _SCANNED_LIMIT:
        return f"it is a JPEG of {scans:,} scans, which would take too long"
    return ""
