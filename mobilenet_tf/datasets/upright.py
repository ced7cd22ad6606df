"""Turn pictures upright, as their EXIF orientation says."""

from PIL import ExifTags, Image, ImageOps

_TURNED = range(5, 9)  # orientations that exchange width and height


def turn_upright(image: Image.Image) -> tuple[Image.Image, bool]:
    """Return an image upright, and whether its width and height were exchanged for it."""
    # Damaged EXIF data does not affect the pixels; the orientation is then unknown.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        if orientation == 1:
            return image, False  # without the copy that Pillow would make
        return ImageOps.exif_transpose(image), orientation in _TURNED
    except Exception:
        return image, False
