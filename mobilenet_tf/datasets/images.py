"""Read an image file as uint8 pixels of a network's input: the definition of preprocessing.

1. Decode the file. A JPEG much larger than needed is decoded at 1/2, 1/4 or 1/8 of its size.
2. Rotate it upright by its EXIF orientation and convert it to RGB.
3. Crop `InputSpec.placement(...).source`, a box of whole pixels.
4. Resize the crop alone with Pillow's filter `InputSpec.resize`, rows first, then columns, each
   rounded to integers. For `bilinear`, tests/datasets/test_prepare.py has it in integer arithmetic.
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

import math
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec

# Above the 108 million pixels of the largest phone cameras; 400 MB when decoded.
PIXEL_LIMIT = 128_000_000
# Colour behind transparent pixels: white, because drawings and logos are mostly dark.
BACKGROUND = (255, 255, 255)

# Pillow's warnings (size, damaged EXIF) are either raised as UnreadableImage here or harmless.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class UnreadableImage(UserError):
    """An image file cannot be decoded.

    Attributes:
        reason: The cause, as a clause without the file's name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read as an image: {reason}.")
        self.reason = reason


def read_image(source: str | Path | BinaryIO, input_spec: InputSpec) -> np.ndarray:
    """Read a file as input pixels: `open_image`, then `prepare`.

    Returns:
        uint8 array of shape `input_spec.shape`.

    Raises:
        UnreadableImage: See `open_image`.
    """
    # With twice the final resolution, the resize decides the pixels and not the JPEG decoder. The
    # longer side of the input counts, because the file may be rotated after decoding.
    longer = max(input_spec.height, input_spec.width)
    return prepare(open_image(source, math.ceil(2 * longer / input_spec.crop)), input_spec)


def open_image(source: str | Path | BinaryIO, at_least: int | None = None) -> Image.Image:
    """Decode the first frame of an image file, upright and in mode RGB.

    Transparent pixels become `BACKGROUND`; 16-bit, 32-bit and float grey values are scaled to
    8 bits. A JPEG is decoded at 1/d of its size, where d is the largest of 8, 4, 2 and 1 with
    shorter side // d >= at_least. This makes a 12-megapixel photo ten times as fast.

    Args:
        source: Path, or seekable binary file.
        at_least: Number of pixels that the shorter side needs; None decodes at full size.

    Raises:
        UnreadableImage: The file is missing, empty, not an image, truncated or damaged, or it has
            more than `PIXEL_LIMIT` pixels.
    """
    if not isinstance(source, str | Path):
        return _decode(source, getattr(source, "name", "the file"), at_least)
    try:
        with open(source, "rb") as file:
            return _decode(file, str(source), at_least)
    except FileNotFoundError as error:
        raise UnreadableImage(str(source), "there is no such file") from error
    except IsADirectoryError as error:
        raise UnreadableImage(str(source), "it is a folder") from error
    except OSError as error:
        raise UnreadableImage(str(source), error.strerror or str(error)) from error


def _decode(file: BinaryIO, name: str, at_least: int | None) -> Image.Image:
    head = file.read(12)
    file.seek(0)
    if not head:
        raise UnreadableImage(name, "it is empty")
    try:
        image = Image.open(file)
        if image.width * image.height > PIXEL_LIMIT:
            raise Image.DecompressionBombError
        if at_least:
            image.draft(None, (at_least, at_least))
        image.load()
        return _rgb(_upright(image))
    except UnidentifiedImageError as error:
        reason = "it has no known image format"
        if head[4:8] == b"ftyp":
            reason = "it is HEIC or a video; save it as JPEG or PNG"
        raise UnreadableImage(name, reason) from error
    except Image.DecompressionBombError as error:
        reason = f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels"
        raise UnreadableImage(name, reason) from error
    # Damaged bytes can make a decoder raise any exception.
    except Exception as error:
        reason = f"it is damaged ({error or type(error).__name__})"
        if "truncated" in str(error).lower():
            reason = "it is truncated"
        raise UnreadableImage(name, reason) from error


def _upright(image: Image.Image) -> Image.Image:
    # Damaged EXIF data does not affect the pixels; the orientation is then unknown.
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Keep the high byte, as Pillow's own decoders do for 16-bit colour.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opaque = Image.new("RGB", image.size, BACKGROUND)
        opaque.paste(image, mask=image)
        return opaque
    return image.convert("RGB")


def _eight_bits(grey: np.ndarray) -> np.ndarray:
    """Convert 32-bit integers or floats to uint8, from the smallest usual range that fits.

    The ranges are 0..65535 and 0..2^31 - 1, and for floats also 0..1 and 0..255.
    """
    ranges = (1, 255, 65535, 2**31 - 1) if grey.dtype.kind == "f" else (65535, 2**31 - 1)
    grey = np.nan_to_num(grey.astype(np.float64), posinf=0, neginf=0)
    top = next((top for top in ranges if grey.max() <= top), grey.max())
    return np.clip(grey * (255 / top) + 0.5, 0, 255).astype(np.uint8)


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
    # Crop, then resize. resize(box=...) would also weigh pixels outside the box, and in Pillow 13
    # the order of its two passes, and so the rounding, depends on the shape of the whole image.
    part = image.crop(placement.source)
    part = part.resize((right - left, bottom - top), Image.Resampling[input_spec.resize.upper()])
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
