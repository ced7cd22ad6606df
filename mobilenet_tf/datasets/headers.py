"""Sizes in the headers of pictures, read before a decoder believes them."""

import struct
from typing import BinaryIO, NamedTuple

_CODESTREAM = b"\xff\x4f\xff\x51"


class Jpeg2000(NamedTuple):
    """Pixels of a JPEG 2000 file, its shorter side, and how often its decoder can halve it."""

    pixels: int
    shorter: int
    halvings: int


def webp_pixels(head: bytes) -> int:
    """Return the pixels of a WebP file by its first 30 bytes; 0 if it is none."""
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return 0
    kind, data = head[12:16], head[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        sides = (1 + int.from_bytes(data[at : at + 3], "little") for at in (4, 7))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        sides = (1 + (bits >> shift & 0x3FFF) for shift in (0, 14))
    else:
        sides = (side & 0x3FFF for side in struct.unpack_from("<2H", data, 6))
    width, height = sides
    return width * height


def avif_pixels(head: bytes) -> int:
    """Return the largest number of pixels of an image in an AVIF file; 0 if it is none."""
    if head[4:8] != b"ftyp" or b"avif" not in head[8:64]:
        return 0
    found, at = 0, head.find(b"ispe")
    while 0 <= at <= len(head) - 16:
        width, height = struct.unpack_from(">2I", head, at + 8)
        found = max(found, width * height)
        at = head.find(b"ispe", at + 4)
    return found


def jpeg2000(file: BinaryIO) -> Jpeg2000 | None:
    """Return the facts of a JPEG 2000 file, or None for other files and damaged ones.

    The decoder allocates by the size in the codestream, not by that in the boxes around it.

    Args:
        file: The file, at its beginning, to which it returns.
    """
    try:
        boxes, start = 0, 0
        if file.read(12) == b"\0\0\0\x0cjP  \r\n\x87\n":
            boxes, start = _jp2_boxes(file)
        file.seek(start)
        if file.read(4) != _CODESTREAM:
            return None
        _, _, right, lower, left, upper = struct.unpack(">2H4I", file.read(20))
        width, height = max(right - left, 0), max(lower - upper, 0)
        file.seek(start + 2)
        return Jpeg2000(max(boxes, width * height), min(width, height), _decompositions(file))
    except struct.error:
        return None
    finally:
        file.seek(0)


def _jp2_boxes(file: BinaryIO) -> tuple[int, int]:
    """Return the pixels that the boxes state and the place of the codestream."""
    pixels, at = 0, 12
    while True:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if length == 1:
            (length,), header = struct.unpack(">Q", file.read(8)), 16
        if kind == b"jp2c":
            return pixels, at + header
        if kind == b"jp2h":
            inner = file.read(min(length, 64))
            place = inner.find(b"ihdr")
            if place >= 0:
                height, width = struct.unpack_from(">2I", inner, place + 4)
                pixels = height * width
        if length < header:
            raise struct.error
        at += length


def _decompositions(file: BinaryIO) -> int:
    """Return the levels of the wavelet by the codestream's COD marker; 0 if there is none."""
    while True:
        marker, length = struct.unpack(">2H", file.read(4))
        if marker == 0xFF52:
            levels = file.read(6)[5:]
            return levels[0] if levels else 0
        if marker == 0xFF90 or length < 2:
            return 0
        file.seek(length - 2, 1)


def several_scans(file: BinaryIO) -> int:
    """Return the pixels of a JPEG that is stored in several scans, and 0 for other files.

    The decoder keeps such a picture's coefficients at full size, and each scan costs all pixels.

    Args:
        file: The file, at its beginning, to which it returns.
    """
    pixels = components = 0
    progressive = False
    position = 2
    try:
        if file.read(2) != b"\xff\xd8":
            return 0
        while True:
            file.seek(position)
            marker = file.read(4)
            if len(marker) < 4 or marker[0] != 0xFF:
                return 0
            kind, length = marker[1], int.from_bytes(marker[2:], "big")
            if kind == 0xFF:  # padding before a marker
                position += 1
                continue
            if kind == 0xDA:
                whole = file.read(1) == bytes([components])
                return pixels if progressive or not whole else 0
            if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
                frame = file.read(6).ljust(6, b"\0")
                pixels = int.from_bytes(frame[1:3], "big") * int.from_bytes(frame[3:5], "big")
                components, progressive = frame[5], bool(kind & 2)
            position += 2 + length
    finally:
        file.seek(0)
