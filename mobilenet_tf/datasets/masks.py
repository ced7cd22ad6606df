"""Read masks: images whose pixels say what those of another picture are.

A mask is never interpolated and never becomes RGB. What its values mean is decided over all masks
of a dataset, in `sources/masks.py`; here they stay as they are stored.
"""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.datasets.deep import extremes, is_deep
from mobilenet_tf.datasets.formats import PIXEL_LIMIT
from mobilenet_tf.datasets.images import Picture
from mobilenet_tf.datasets.opening import UnreadableImage, loaded, opened
from mobilenet_tf.datasets.upright import turn_upright

IGNORED = 255  # a pixel that belongs to no class
GREY, PALETTE, COLOUR = "grey", "palette", "colour"  # kinds of masks
_MOST_COLOURS = 256


def read_mask(
    source: str | Path | BinaryIO, input_spec: InputSpec, most: int = PIXEL_LIMIT
) -> Picture:
    """Read a file as the mask of a picture that is read for an input.

    Args:
        source: Path, or seekable binary file.
        input_spec: Input that the picture is for; with one channel.
        most: Number of pixels that may be in memory, see `formats`.

    Returns:
        Pixels (height, width, 1) with the stored values: greys, indices into the palette, or
        places in the sorted list of the file's colours; and facts: kind (`GREY`, `PALETTE` or
        `COLOUR`), pixels {value: how many of the whole mask have it}, and colours {value:
        #rrggbb}, which is empty for greys.

    Raises:
        UnreadableImage: See `open_image`; or the mask has more than 256 colours or values.
        NeedsMorePixels: `most` is too small; nothing was allocated.
    """
    with opened(source) as (file, name):
        image, _ = loaded(file, name, None, most)
        image, _ = turn_upright(image)
        image, kind = _simplified(image, name)
        values, colours = _values(image, kind, name)
        framing = input_spec.framing(image.size)
        stored = _prepared(image, framing)
        if kind == COLOUR:
            known = np.array([int(colours[str(value)][1:], 16) for value in range(len(colours))])
            stored = np.searchsorted(known, stored @ np.array([1 << 16, 1 << 8, 1])).astype(
                np.uint8
            )
        facts = {"kind": kind, "pixels": values, "colours": colours}
        return Picture(stored[..., None], None, framing, facts)


def prepared_mask(mask: np.ndarray, framing: Framing) -> np.ndarray:
    """Cut and resize a mask as `images.prepare` does its picture, each pixel with one value.

    Args:
        mask: uint8 (height, width) of the upright picture.
        framing: How the picture lies in the input.

    Returns:
        uint8 (height, width) of the input; `IGNORED` in its padding.
    """
    return inside_padding(_prepared(Image.fromarray(mask), framing), framing)


def shown_classes(mask: np.ndarray) -> list[int]:
    """Return the classes of a mask."""
    found: list[int] = np.unique(mask[mask != IGNORED]).tolist()
    return found


def inside_padding(values: np.ndarray, framing: Framing) -> np.ndarray:
    """Return a mask (height, width) of an input with `IGNORED` where it shows no picture."""
    left, top, right, bottom = framing.placement.target
    found = np.full_like(values, IGNORED)
    found[top:bottom, left:right] = values[top:bottom, left:right]
    return found


def _prepared(image: Image.Image, framing: Framing) -> np.ndarray:
    """Return the values of an image in the input, (height, width) or (height, width, 3)."""
    left, top, right, bottom = framing.placement.target
    part = image.crop(framing.placement.source)
    part = part.resize((right - left, bottom - top), Image.Resampling.NEAREST)
    pixels = np.asarray(part)
    width, height = framing.sides
    found = np.zeros((height, width, *pixels.shape[2:]), np.uint8)
    found[top:bottom, left:right] = pixels
    return found


def _simplified(image: Image.Image, name: str) -> tuple[Image.Image, str]:
    """Return an image of mode L, P or RGB, and its kind."""
    if is_deep(image):
        lowest, highest = extremes(image)
        if lowest < 0 or highest > 255:
            raise UnreadableImage(name, f"it has values up to {highest:g}; a mask has at most 255")
        return Image.fromarray(np.asarray(image).astype(np.uint8)), GREY
    if image.mode == "P":
        return image, PALETTE
    if image.mode in ("1", "L", "LA", "La"):
        return image.convert("L"), GREY
    image = image.convert("RGB")
    red, green, blue = image.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return red, GREY
    return image, COLOUR


def _values(image: Image.Image, kind: str, name: str) -> tuple[dict[str, int], dict[str, str]]:
    """Return value -> number of pixels, and value -> colour; the keys are texts, as in JSON."""
    if kind == COLOUR:
        found = image.getcolors(_MOST_COLOURS)
        if found is None:
            raise UnreadableImage(
                name, f"it has more than {_MOST_COLOURS} colours; a mask has one for each class"
            )
        listed = sorted((_hexadecimal(colour), count) for count, colour in found)
        counts = {str(value): count for value, (_, count) in enumerate(listed)}
        return counts, {str(value): colour for value, (colour, _) in enumerate(listed)}
    counts = {str(value): count for value, count in enumerate(image.histogram()) if count}
    if kind == GREY:
        return counts, {}
    palette = (image.getpalette("RGB") or []) + [0] * 768  # an index beyond its end is black
    return counts, {
        value: _hexadecimal(palette[3 * int(value) : 3 * int(value) + 3]) for value in counts
    }


def _hexadecimal(colour: object) -> str:
    return "#" + bytes(colour).hex()  # type: ignore[call-overload]
