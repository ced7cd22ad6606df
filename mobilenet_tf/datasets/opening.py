"""Open and decode image files of the accepted formats, within limits of pixels and memory."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.datasets.formats import (
    BYTE_LIMIT,
    FORMATS,
    HEAD,
    PIXEL_LIMIT,
    TOO_DEEP,
    TOO_MANY_PIXELS,
    TOO_MUCH_MEMORY,
    plan,
    unknown_format,
)

# Some programs keep whole projects in a PNG's text; with Pillow's 1 MB it would count as damaged.
PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20

# Pillow's warnings (size, damaged EXIF) are either raised as UnreadableImage here or harmless.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class UnreadableImage(UserError):
    """An image file cannot be decoded.

    Attributes:
        name: Path of the file.
        reason: The cause, as a clause without the file's name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be read as an image: {reason}.")
        self.name = name
        self.reason = reason


class NeedsMorePixels(Exception):
    """An image needs more pixels in memory than the caller allows.

    Attributes:
        pixels: How many it needs, at most `PIXEL_LIMIT`.
    """

    def __init__(self, pixels: int) -> None:
        super().__init__(pixels)
        self.pixels = pixels


@contextmanager
def opened(source: str | Path | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file for a decoder, whose errors become the reason why the file is unreadable.

    Args:
        source: Path, or seekable binary file.

    Yields:
        The file and its name.

    Raises:
        UnreadableImage: See `open_image`.
    """
    with _file(source) as (file, name), _damage_named(name):
        yield file, name


@contextmanager
def _file(source: str | Path | BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    if not isinstance(source, str | Path):
        yield source, getattr(source, "name", "the file")
        return
    try:
        file = open_regular(source, BYTE_LIMIT)
    except FileNotFoundError as error:
        raise UnreadableImage(str(source), "there is no such file") from error
    except (OSError, ValueError) as error:
        raise UnreadableImage(str(source), getattr(error, "strerror", "") or str(error)) from error
    with file:
        yield file, str(source)


def loaded(
    file: BinaryIO, name: str, at_least: int | None, most: int
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode the first frame of an open file as it is stored; the arguments as for `read_picture`.

    Returns:
        The image, and its (width, height) at full size.

    Raises:
        UnreadableImage: See `open_image`; `opened` turns what decoders raise into it.
        NeedsMorePixels: `most` is too small; nothing was allocated.
    """
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise UnreadableImage(name, "it is empty")
    way = plan(head, file, at_least)
    if way.refusal:
        raise UnreadableImage(name, way.refusal)
    _require(way.pixels, most)
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableImage(name, unknown_format(head)) from error
    if image.width * image.height > PIXEL_LIMIT:
        raise Image.DecompressionBombError
    size = image.size
    if at_least:
        image.draft(None, (at_least, at_least))
    if way.halvings:
        setattr(image, "reduce", way.halvings)  # noqa: B010 (also a method of images)
    if not way.pixels:
        pixels = image.width * image.height
        if image.mode != "RGB":  # which is converted, so that there are two
            pixels *= 2
        if image.mode in ("I", "F") and pixels > PIXEL_LIMIT:
            raise UnreadableImage(name, TOO_DEEP)
        _require(pixels, most)
    image.load()
    return image, size


def _require(pixels: int, most: int) -> None:
    pixels = min(pixels, PIXEL_LIMIT)
    if pixels > most:
        raise NeedsMorePixels(pixels)


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into the reason why a file is unreadable."""
    try:
        yield
    except (UnreadableImage, NeedsMorePixels):
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImage(name, TOO_MANY_PIXELS) from error
    except MemoryError as error:
        raise UnreadableImage(name, TOO_MUCH_MEMORY) from error
    # Damaged bytes can make a decoder raise any exception.
    except Exception as error:
        reason = f"it is damaged ({error or type(error).__name__})"
        if "truncated" in str(error).lower():
            reason = "it is truncated"
        elif "MAX_TEXT" in str(error) or "Too much memory used in text" in str(error):
            reason = "its texts or its colour profile have more than 16 MB"
        raise UnreadableImage(name, reason) from error
