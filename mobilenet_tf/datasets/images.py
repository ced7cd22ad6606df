"""Read an image file as uint8 pixels of a network's input: the definition of preprocessing.

1. Decode the file. A JPEG much larger than needed is decoded at 1/2, 1/4 or 1/8 of its size.
2. Rotate it upright by its EXIF orientation and convert it to RGB. Greys of more than 8 bits are
   scaled by `InputSpec.white_level`, see deep.py.
3. Crop `InputSpec.placement(...).source`, a box of whole pixels.
4. Resize the crop alone by `InputSpec.resize`, see resizing.py.
5. For one channel, convert to grey: L = (19595 R + 38470 G + 7471 B + 32768) >> 16.
6. With `fit = "pad"`, fill the rest of the input with round(mean).

`InputSpec.normalise` follows. Validation and test images, `predict` and the Android library do
exactly this. Two paths deviate from it. The deviations given here are absolute differences in grey
levels from `read_image` at 96x96x3, over 200 photos each of hands and of clothing;
tests/datasets/test_prepare.py measures them.

- Calibration images come from the training split, which is stored 1.15 times as large as the input
  (see `dataset.with_margin`), and are resized a second time: mean 1.1 and 1.6, largest 61 and 43,
  more than 1 level in 15 % and 30 % of the values. The smallest and the largest value of all 200
  photos change by at most 3 levels.
- Streams (stream.py) decode and resize with TensorFlow: mean 0.2 and 0.1, largest 1 and 12, at
  most 1 level in 99.99 % of the values. TensorFlow ignores the EXIF orientation, so images that
  are stored rotated stay rotated.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.datasets.deep import Extremes, eight_bits, extremes, is_deep
from mobilenet_tf.datasets.formats import PIXEL_LIMIT
from mobilenet_tf.datasets.opening import NeedsMorePixels as NeedsMorePixels
from mobilenet_tf.datasets.opening import UnreadableImage as UnreadableImage
from mobilenet_tf.datasets.opening import loaded, opened
from mobilenet_tf.datasets.resizing import resized
from mobilenet_tf.datasets.upright import turn_upright

# Colour behind transparent pixels: white, because drawings and logos are mostly dark.
BACKGROUND = (255, 255, 255)


class Decoded(NamedTuple):
    """A decoded file.

    Attributes:
        image: Upright and in mode RGB.
        deep: The extremes of greys of more than 8 bits; None for other files.
        size: (width, height) of the upright image at full size.
    """

    image: Image.Image
    deep: Extremes | None
    size: tuple[int, int]


class Picture(NamedTuple):
    """A file as pixels of an input.

    Attributes:
        pixels: uint8 array of the input's shape.
        deep: As in `Decoded`.
        framing: How the upright picture lies in the input, for labels that have a place in it.
        facts: What else is known, ready for JSON; see `masks.read_mask`.
    """

    pixels: np.ndarray
    deep: Extremes | None
    framing: Framing
    facts: Mapping[str, Any] | None = None


def read_image(source: str | Path | BinaryIO, input_spec: InputSpec) -> np.ndarray:
    """Read a file as input pixels: `open_image`, then `prepare`.

    Returns:
        uint8 array of shape `input_spec.shape`.

    Raises:
        UnreadableImage: See `open_image`.
    """
    return read_picture(source, input_spec).pixels


def read_picture(
    source: str | Path | BinaryIO, input_spec: InputSpec, most: int = PIXEL_LIMIT
) -> Picture:
    """Read a file as input pixels.

    Args:
        source: Path, or seekable binary file.
        input_spec: Input that the pixels are for.
        most: Number of pixels that may be in memory, see `formats`.

    Raises:
        UnreadableImage: See `open_image`.
        NeedsMorePixels: `most` is too small; nothing was allocated.
    """
    with opened(source) as (file, name):
        image, deep, size = _decode(
            file, name, input_spec.decoded_side, input_spec.white_level, most
        )
        return Picture(prepare(image, input_spec), deep, input_spec.framing(size, image.size))


def open_image(source: str | Path | BinaryIO, at_least: int | None = None) -> Image.Image:
    """Decode the first frame of an image file, upright and in mode RGB.

    Transparent pixels become `BACKGROUND`, unless all pixels are transparent; greys of more than 8
    bits are scaled by themselves, see deep.py. A JPEG is decoded at 1/d of its size, where d is the
    largest of 8, 4, 2 and 1 with shorter side // d >= at_least. This makes a 12-megapixel photo
    ten times as fast.

    Args:
        source: Path, or seekable binary file.
        at_least: Number of pixels that the shorter side needs; None decodes at full size.

    Raises:
        UnreadableImage: The file is missing, empty, not a regular file, not an image of the formats
            in `formats.FORMATS`, truncated or damaged, or it is too large; see `formats`.
    """
    with opened(source) as (file, name):
        return _decode(file, name, at_least, None, PIXEL_LIMIT).image


def _decode(
    file: BinaryIO, name: str, at_least: int | None, white_level: float | None, most: int
) -> Decoded:
    image, size = loaded(file, name, at_least, most)
    deep = extremes(image) if is_deep(image) else None
    upright, turned = turn_upright(image)
    return Decoded(as_rgb(upright, white_level), deep, size[::-1] if turned else size)


def as_rgb(image: Image.Image, white_level: float | None) -> Image.Image:
    """Convert a decoded image to RGB, as `open_image` says.

    Args:
        image: Image of any mode.
        white_level: See `InputSpec`.
    """
    if is_deep(image):
        return eight_bits(image, white_level).convert("RGB")
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        # Many programs leave the fourth byte of a pixel 0 and mean an opaque picture.
        if image.getchannel("A").getextrema() == (0, 0):
            return image.convert("RGB")
        opaque = Image.new("RGB", image.size, BACKGROUND)
        opaque.paste(image, mask=image)
        return opaque
    return image if image.mode == "RGB" else image.convert("RGB")


def prepare(image: Image.Image, input_spec: InputSpec) -> np.ndarray:
    """Crop, resize, convert and pad an image (steps 3 to 6 of the module's list).

    Args:
        image: Image of mode RGB and any size.
        input_spec: Input that the pixels are for.

    Returns:
        uint8 array of shape `input_spec.shape`.
    """
    placement = input_spec.placement(image.width, image.height)
    left, top, right, bottom = placement.target
    # Pillow's resize(box=...) would also weigh pixels outside the box.
    whole = placement.source == (0, 0, image.width, image.height)
    part = image if whole else image.crop(placement.source)
    part = resized(part, (right - left, bottom - top), input_spec.resize)
    pixels = np.asarray(part if input_spec.channels == 3 else part.convert("L"))
    pixels = pixels.reshape(bottom - top, right - left, input_spec.channels)
    if pixels.shape == input_spec.shape:
        return pixels
    padded = np.full(input_spec.shape, padding_value(input_spec), np.uint8)
    padded[top:bottom, left:right] = pixels
    return padded


def padding_value(input_spec: InputSpec) -> int:
    """Return the grey level that `fit = "pad"` fills with: the mean, as a uint8 pixel."""
    return round(min(max(input_spec.mean, 0), 255))
