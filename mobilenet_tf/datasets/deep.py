"""Greys of more than 8 bits: 16-bit and 32-bit integers and floats.

A file does not say which of its values is white: 12 bits are often stored as 16. It is therefore
judged over the training images of a dataset: the smallest usual range that holds them all. This
`InputSpec.white_level` becomes 255 in every picture of the dataset, and in those that the model
meets later. 16-bit colours are not concerned, Pillow's decoders keep their high byte.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from mobilenet_tf.datasets.plain import shown_names

_STRIP = 256  # rows that are converted at a time, to 64-bit floats

# Floats from 0 to 1, and integers of 8, 10, 12, 14, 16 and 31 bits.
_USUAL = (1, 2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1, 2**31 - 1)


class Extremes(NamedTuple):
    """The lowest and the highest value of a picture."""

    lowest: float
    highest: float


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture has greys of more than 8 bits."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def extremes(image: Image.Image) -> Extremes:
    """Return the lowest and the highest value; what is no number counts as 0."""
    found = [(strip.min(), strip.max()) for _, strip in _strips(image)]
    return Extremes(float(min(low for low, _ in found)), float(max(high for _, high in found)))


def usual_level(extremes: Iterable[Extremes]) -> float | None:
    """Return the white level for pictures with these extremes; None if there are none."""
    highest = max((one.highest for one in extremes), default=None)
    if highest is None:
        return None
    return float(next((level for level in _USUAL if highest <= level), highest))


def eight_bits(image: Image.Image, white_level: float | None) -> Image.Image:
    """Scale 0..white_level to 8 bits; what lies outside is clipped.

    Without a white level the picture is scaled by itself, as models of earlier versions expect: 16
    bits keep the high byte, others have the smallest range that fits of 0..65535 and 0..2^31 - 1,
    and for floats also of 0..1 and 0..255.
    """
    if white_level is None:
        if image.mode.startswith("I;16"):
            return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        ranges = (1, 255, 65535, 2**31 - 1) if image.mode == "F" else (65535, 2**31 - 1)
        highest = extremes(image).highest
        white_level = next((top for top in ranges if highest <= top), highest)
    scaled = np.empty((image.height, image.width), np.uint8)
    for row, strip in _strips(image):
        values = strip.astype(np.float64) * (255 / white_level) + 0.5
        scaled[row : row + _STRIP] = np.clip(values, 0, 255)
    return Image.fromarray(scaled)


def _strips(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first row and the values of each strip; what is no number is 0."""
    for row in range(0, image.height, _STRIP):
        strip = np.asarray(image.crop((0, row, image.width, min(row + _STRIP, image.height))))
        yield row, np.nan_to_num(strip, posinf=0, neginf=0) if image.mode == "F" else strip


def notes_on_deep(found: Mapping[str, Extremes], white_level: float | None) -> list[str]:
    """Return the notes about deep greys: their range, and which of them exceed it.

    Args:
        found: Name -> extremes of every picture of more than 8 bits.
        white_level: See `InputSpec`.
    """
    if not found:
        return []
    counted = f"{len(found):,} image{'s have' if len(found) > 1 else ' has'} greys of more than 8"
    if white_level is None:
        return [f"{counted} bits, each scaled by itself"]
    clipped = sorted(name for name, (low, high) in found.items() if low < 0 or high > white_level)
    notes = [f"{counted} bits, scaled from 0..{white_level:,.12g} to 0..255"]
    if clipped:
        several = "s have" if len(clipped) > 1 else " has"
        notes.append(
            f"{len(clipped):,} image{several} values outside of that, which are clipped "
            f"({shown_names(clipped)})"
        )
    return notes
