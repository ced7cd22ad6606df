"""What is measured of a picture: content, size, light, sharpness, and a hash of what it shows.

A picture is decoded once, at reduced size where its format can, and all of this is measured on a
copy with a longer side of `SIDE` pixels: about what a network sees of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.datasets.formats import PIXEL_LIMIT
from mobilenet_tf.datasets.images import Picture, as_rgb, prepare
from mobilenet_tf.datasets.opening import loaded, opened
from mobilenet_tf.datasets.plain import hardly_varies
from mobilenet_tf.datasets.upright import orientation, turn_upright

SIDE = 192
THUMB = InputSpec(8, 3, fit="stretch")  # compared where hashes are close
VERSION = 1  # of what is measured
_HASHED, _KEPT = 32, 8  # pixels per side that are transformed, frequencies per side that are kept
_COSINES = np.cos(np.pi * np.outer(np.arange(_KEPT), 2 * np.arange(_HASHED) + 1) / (2 * _HASHED))
_BLOCK = 2**20


@dataclass(frozen=True)
class Facts:
    """What is known of a picture.

    Attributes:
        size: (width, height) in pixels, upright and at full size.
        mode: Pillow's mode of the stored pixels, such as RGB or CMYK.
        format: Such as JPEG.
        orientation: EXIF orientation; 1 for pictures that are stored upright, 0 if the EXIF data
            cannot be read.
        content: Hash of the file's bytes.
        hash: Perceptual hash, 64 bits as hexadecimal digits, see `perceptual_hash`.
        thumb: The picture in `THUMB` as hexadecimal digits.
        plain: Whether it is of one colour, or nearly so.
        brightness: Mean grey level, 0 to 255.
        sharpness: Variance of the Laplacian, relative to that of the grey levels.
        colour: Mean difference of the largest and the smallest of R, G and B, in levels.
    """

    size: tuple[int, int]
    mode: str
    format: str
    orientation: int
    content: str
    hash: str
    thumb: str
    plain: bool
    brightness: float
    sharpness: float
    colour: float


def read_facts(
    source: str | Path | BinaryIO, input_spec: InputSpec, most: int = PIXEL_LIMIT
) -> Picture:
    """Read a file and measure it.

    Args:
        source: Path, or seekable binary file.
        input_spec: `THUMB`.
        most: Number of pixels that may be in memory, see `formats`.

    Returns:
        The thumbnail, and the fields of `Facts` as facts.

    Raises:
        UnreadableImage: See `open_image`.
        NeedsMorePixels: `most` is too small; nothing was allocated.
    """
    with opened(source) as (file, name):
        stored, size = loaded(file, name, SIDE, most)
        upright, turned = turn_upright(stored)
        image = as_rgb(upright, None)
        size = size[::-1] if turned else size
        thumb = prepare(image, input_spec)
        measured = _measured(image)
        facts = Facts(
            size=size,
            mode=stored.mode,
            format=stored.format or "",
            orientation=orientation(stored),
            content=_content(file),
            hash=f"{perceptual_hash(image):016x}",
            thumb=thumb.tobytes().hex(),
            **measured,
        )
        return Picture(thumb, None, input_spec.framing(size, image.size), to_plain(facts))


def facts_of(values: Any) -> Facts:
    """Return the facts that `read_facts` described."""
    return from_plain(Facts, values, "facts")


def perceptual_hash(image: Image.Image) -> int:
    """Return the usual DCT hash, 64 bits that similar pictures share for the most part.

    Bit k says whether the k-th of the 8x8 lowest frequencies of the grey picture, reduced to 32x32
    pixels, is above their median (pHash; Zauner 2010, chapter 3.2.1, here with the mean level).
    """
    grey = image.convert("L").resize((_HASHED, _HASHED), Image.Resampling.BOX)
    waves = _COSINES @ np.asarray(grey, np.float64) @ _COSINES.T
    bits = np.packbits(waves > np.median(waves.ravel()[1:]))
    return int.from_bytes(bits.tobytes(), "big")


def _measured(image: Image.Image) -> dict[str, Any]:
    small = image.copy()
    small.thumbnail((SIDE, SIDE))  # never enlarges
    pixels = np.asarray(small)
    grey = np.asarray(small.convert("L"), np.float64)
    colour = pixels.max(axis=2).astype(np.float64) - pixels.min(axis=2)
    return {
        "plain": hardly_varies(pixels),
        "brightness": round(float(grey.mean()), 1),
        "sharpness": round(_sharpness(grey), 5),
        "colour": round(float(colour.mean()), 2),
    }


def _sharpness(grey: np.ndarray) -> float:
    inner = grey[1:-1, 1:-1]
    if not inner.size:
        return 0.0
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    # One level of variance more, so that the noise of a plain picture is no sharpness.
    return float((4 * inner - around).var() / (grey.var() + 1))


def _content(file: BinaryIO) -> str:
    digest = hashlib.blake2b(digest_size=16)
    file.seek(0)
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
