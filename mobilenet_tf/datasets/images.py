"""One picture -> uint8 pixels of the network's input: the definition of preprocessing.

Training, calibration, evaluation, `predict` and the phone all do exactly this:

1. decode; a JPEG much larger than needed at 1/2, 1/4 or 1/8 (see `open_picture`);
2. turn upright by EXIF, make RGB;
3. cut `centre_square`, an integer box;
4. Pillow's antialiased BILINEAR resize of that square alone to size x size: rows first, then
   columns, rounded to integers after each (tests/data/test_pictures.py has it in integers);
5. for one channel: L = (19595 R + 38470 G + 7471 B + 32768) >> 16, after the resize;
6. `InputSpec.normalise`.
"""

import math
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mobilenet_tf.core.errors import UserError

# More than any phone takes in one shot, 108 million, and 400 MB when decoded.
PIXEL_LIMIT = 128_000_000
# Below transparent pixels: paper. Drawings and logos are mostly dark on nothing.
BACKGROUND = (255, 255, 255)

# What Pillow warns of (size, damaged EXIF) is either an UnreadablePicture here or harmless.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class UnreadablePicture(UserError):
    """A file that gives no pixels.

    Attributes:
        reason: why, as a clause without the file's name.
    """

    def __init__(self, name: str, reason: str):
        super().__init__(f"{name} cannot be used as a picture: {reason}.")
        self.reason = reason


def read_picture(source: str | Path | BinaryIO, size: int, channels: int, crop: float):
    """A file as the network sees it: `open_picture`, then `prepare`.

    Returns:
        uint8 array (size, size, channels).

    Raises:
        UnreadablePicture: see `open_picture`.
    """
    # Twice the final resolution: the resize, not the JPEG decoder, decides the pixels.
    image = open_picture(source, at_least=math.ceil(2 * size / crop))
    return prepare(image, size, channels, crop)


def open_picture(source: str | Path | BinaryIO, at_least: int | None = None) -> Image.Image:
    """The first frame of a picture file, upright, mode RGB.

    Transparent pixels are laid on `BACKGROUND`; 16-bit, 32-bit and float greys are scaled to
    8 bits. A JPEG is decoded at 1/d of its size, d the largest of 8, 4, 2, 1 for which
    shorter side // d >= at_least: a 12-megapixel photo takes a tenth of the time.

    Args:
        source: a path, or a seekable binary file.
        at_least: pixels of the shorter side that are needed. None: all there are.

    Raises:
        UnreadablePicture: it is missing, empty, no picture, cut short, damaged, or has more
            than `PIXEL_LIMIT` pixels.
    """
    if not isinstance(source, str | Path):
        return _decode(source, getattr(source, "name", "the picture"), at_least)
    try:
        with open(source, "rb") as file:
            return _decode(file, str(source), at_least)
    except FileNotFoundError as error:
        raise UnreadablePicture(str(source), "there is no such file") from error
    except IsADirectoryError as error:
        raise UnreadablePicture(str(source), "it is a folder") from error
    except OSError as error:
        raise UnreadablePicture(str(source), error.strerror or str(error)) from error


def _decode(file: BinaryIO, name: str, at_least: int | None) -> Image.Image:
    head = file.read(12)
    file.seek(0)
    if not head:
        raise UnreadablePicture(name, "it is empty")
    try:
        image = Image.open(file)
        if image.width * image.height > PIXEL_LIMIT:
            raise Image.DecompressionBombError
        if at_least:
            image.draft(None, (at_least, at_least))
        image.load()
        return _rgb(_upright(image))
    except UnidentifiedImageError as error:
        reason = "no picture format is recognised in it"
        if head[4:8] == b"ftyp":
            reason = "it is HEIC or a video; save it as JPEG or PNG"
        raise UnreadablePicture(name, reason) from error
    except Image.DecompressionBombError as error:
        reason = f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels"
        raise UnreadablePicture(name, reason) from error
    # Decoders raise whatever the damaged bytes lead them to.
    except Exception as error:
        reason = f"it is damaged ({error or type(error).__name__})"
        if "truncated" in str(error).lower():
            reason = "it is cut short"
        raise UnreadablePicture(name, reason) from error


def _upright(image: Image.Image) -> Image.Image:
    # Damaged EXIF says nothing of the pixels, and nothing of which side is up.
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # The high byte, as Pillow's own decoders do for 16-bit colour.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, BACKGROUND)
        paper.paste(image, mask=image)
        return paper
    return image.convert("RGB")


def _eight_bits(grey: np.ndarray) -> np.ndarray:
    """32-bit integers or floats -> uint8, from the smallest usual range that holds them.

    The ranges are 0..65535 and 0..2^31 - 1, for floats also 0..1 and 0..255.
    """
    ranges = (1, 255, 65535, 2**31 - 1) if grey.dtype.kind == "f" else (65535, 2**31 - 1)
    grey = np.nan_to_num(grey.astype(np.float64), posinf=0, neginf=0)
    top = next((top for top in ranges if grey.max() <= top), grey.max())
    return np.clip(grey * (255 / top) + 0.5, 0, 255).astype(np.uint8)


def centre_square(width: int, height: int, crop: float) -> tuple[int, int, int, int]:
    """The part of a picture that is kept, as (left, top, right, bottom) in pixels.

    side = max(1, floor(crop * min(width, height) + 0.5)) in double precision;
    left = (width - side) // 2, top = (height - side) // 2.

    Raises:
        UserError: crop is not in (0, 1].
    """
    if not 0 < crop <= 1:
        raise UserError(f"crop is {crop}; it must be greater than 0 and at most 1.")
    side = max(1, math.floor(crop * min(width, height) + 0.5))
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def prepare(image: Image.Image, size: int, channels: int, crop: float) -> np.ndarray:
    """Steps 3 to 5 of this module's list.

    Args:
        image: mode RGB, any size.
        size: side of the result in pixels.
        channels: 3 (RGB) or 1 (grey).
        crop: side of the centre square, as a share of the shorter side.

    Returns:
        uint8 array (size, size, channels).
    """
    # Cut, then resized, not resize(box=...): that also weighs pixels beyond the box, and in
    # Pillow 13 the order of its two passes, so the rounding, depends on the shape of the whole.
    square = image.crop(centre_square(image.width, image.height, crop))
    image = square.resize((size, size), Image.Resampling.BILINEAR)
    if channels == 1:
        return np.asarray(image.convert("L"))[..., np.newaxis]
    return np.asarray(image)
