"""Turn pictures upright, as their EXIF orientation says."""

from PIL import ExifTags, Image, ImageOps

_TURNED = range(5, 9)  # orientations that exchange width and height


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, of which 1 is upright; 0 if it cannot be known."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # whatever a parser of damaged EXIF data raises
        return 0
    return found if found in range(1, 9) else 0


def turn_upright(image: Image.Image) -> tuple[Image.Image, bool]:
    """Return an image upright, and whether its width and height were exchanged for it."""
    found = orientation(image)
    if found in (0, 1):
        return image, False  # without the copy that Pillow would make
    # Damaged EXIF data does not affect the pixels.
    try:
        return ImageOps.exif_transpose(image), found in _TURNED
    except Exception:
        return image, False
