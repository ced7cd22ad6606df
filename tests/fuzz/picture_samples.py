"""Small pictures in every format that is read."""

import io

import numpy as np
from PIL import Image, features


def pictures() -> dict[str, bytes]:
    """Return name -> content of pictures in all formats and the modes that are read differently."""
    random = np.random.default_rng(0)
    colour = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    grey, alpha, palette = colour.convert("L"), colour.convert("RGBA"), colour.convert("P")
    deep = Image.fromarray(random.integers(0, 65536, (24, 32)).astype(np.uint16))
    real = Image.fromarray(random.random((24, 32), dtype=np.float32))
    made = {
        "baseline.jpg": (colour, "JPEG", {}),
        "progressive.jpg": (colour, "JPEG", {"progressive": True}),
        "exif.jpg": (colour, "JPEG", {"exif": _rotated()}),
        "grey.jpg": (grey, "JPEG", {}),
        "colour.png": (colour, "PNG", {}),
        "alpha.png": (alpha, "PNG", {}),
        "palette.png": (palette, "PNG", {"transparency": 0}),
        "deep.png": (deep, "PNG", {}),
        "lossy.webp": (colour, "WEBP", {}),
        "lossless.webp": (alpha, "WEBP", {"lossless": True}),
        "colour.bmp": (colour, "BMP", {}),
        "palette.bmp": (palette, "BMP", {}),
        "plain.tif": (colour, "TIFF", {}),
        "lzw.tif": (colour, "TIFF", {"compression": "tiff_lzw"}),
        "deflate.tif": (alpha, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "real.tif": (real, "TIFF", {}),
        "deep.tif": (deep, "TIFF", {}),
        "palette.gif": (palette, "GIF", {}),
        "moving.gif": (palette, "GIF", {"save_all": True, "append_images": [palette.rotate(90)]}),
        "colour.ppm": (colour, "PPM", {}),
        "grey.pgm": (grey, "PPM", {}),
        "colour.tga": (colour, "TGA", {}),
        "packed.tga": (alpha, "TGA", {"compression": "tga_rle"}),
    }
    if features.check("jpg_2000"):
        made["colour.jp2"] = (colour, "JPEG2000", {})
        made["codestream.j2k"] = (grey, "JPEG2000", {"no_jp2": True})
    if features.check("avif"):
        made["colour.avif"] = (colour, "AVIF", {"speed": 10})
    return {name: _saved(*how) for name, how in made.items()}


def _saved(image: Image.Image, kind: str, options: dict) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _rotated() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif
