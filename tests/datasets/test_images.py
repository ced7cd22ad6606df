"""Every kind of file people have, and the rule by which each becomes pixels."""

import functools
import io
import math
import operator
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets import images as pictures
from mobilenet_tf.datasets.images import (
    UnreadablePicture,
    centre_square,
    open_picture,
    prepare,
    read_picture,
)

# What each orientation's file looks like, from the upright picture.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def saved(image: Image.Image, form: str = "PNG", **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, form, **options)
    file.seek(0)
    return file


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.mode == other.mode == "RGB"
    assert one.size == other.size
    return np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_gives_the_upright_picture(photo, orientation, form):
    stored = photo if orientation == 1 else photo.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(open_picture(saved(stored, form, exif=exif)), photo) < 5


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_ignored(photo):
    file = saved(photo, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01\x12")
    assert difference(open_picture(file), photo) < 5


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
    ],
)
def test_formats(photo, form, options):
    assert difference(open_picture(saved(photo, form, **options)), photo) < 8


def test_cmyk(photo):
    expected = photo.convert("CMYK").convert("RGB")
    for form in ("TIFF", "JPEG"):
        assert difference(open_picture(saved(photo.convert("CMYK"), form)), expected) < 5


def test_grey_and_one_bit(photo):
    grey = photo.convert("L")
    assert difference(open_picture(saved(grey)), grey.convert("RGB")) == 0
    bits = photo.convert("1")
    assert difference(open_picture(saved(bits)), bits.convert("RGB")) == 0


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (np.uint16([[0, 256, 32768, 65535]]), "PNG"),
        (np.uint16([[0, 256, 32768, 65535]]), "TIFF"),
        (np.int32([[0, 257, 32896, 65535]]), "TIFF"),
        (np.int32([[0, 2**31 // 255, 2**30, 2**31 - 1]]), "TIFF"),
        (np.float32([[0, 1 / 255, 128 / 255, 1]]), "TIFF"),
        (np.float32([[0, 1, 128, 255]]), "TIFF"),
        (np.float32([[-5, 257, 32896, 65535]]), "TIFF"),
    ],
)
def test_deep_greys_are_scaled_not_clipped(values, form):
    image = open_picture(saved(Image.fromarray(values), form))
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], [0, 1, 128, 255])


def test_floats_that_are_no_numbers():
    image = open_picture(saved(Image.fromarray(np.float32([[np.nan, np.inf, 1, 0]])), "TIFF"))
    assert np.asarray(image)[0, :, 0].tolist() == [0, 0, 255, 0]


def test_transparency_shows_the_background(photo):
    red = (200, 10, 20)
    clear = Image.new("RGBA", (4, 4), (*red, 0))
    clear.putpixel((0, 0), (*red, 255))
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([*red, 0, 0, 0])
    palette.putpixel((0, 0), 0)
    grey = Image.new("LA", (4, 4), (40, 0))
    grey.putpixel((0, 0), (40, 255))
    files = [
        (saved(clear), red),
        (saved(clear, "WEBP", lossless=True, exact=True), red),
        (saved(palette, transparency=1), red),
        (saved(palette, transparency=b"\xff\x00"), red),
        (saved(palette, "GIF", transparency=1), red),
        (saved(grey), (40, 40, 40)),
    ]
    for file, solid in files:
        image = open_picture(file)
        assert image.mode == "RGB"
        assert image.getpixel((0, 0)) == solid
        assert image.getpixel((3, 3)) == pictures.BACKGROUND


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_many(photo, form):
    frames = [Image.new("RGB", photo.size, "black")] * 2
    file = saved(photo, form, save_all=True, append_images=frames)
    assert difference(open_picture(file), photo) < 8


def test_photos_are_decoded_at_a_fraction(photo, tmp_path):
    path = tmp_path / "photo.jpg"
    photo.resize((1600, 1200)).save(path)
    for at_least, size in ((150, (200, 150)), (151, (400, 300)), (601, (1600, 1200))):
        assert open_picture(path, at_least).size == size
    assert open_picture(path).size == (1600, 1200)
    whole = prepare(open_picture(path), 96, 3, 1.0)
    assert np.abs(read_picture(path, 96, 3, 1.0).astype(int) - whole).mean() < 1


@pytest.mark.parametrize(
    ("form", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {})],
)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97])
def test_cut_short(photo, tmp_path, form, options, share):
    whole = saved(photo.resize((400, 300)), form, **options).getvalue()
    path = tmp_path / f"cut.{form.lower()}"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnreadablePicture, match=str(path)) as error:
        read_picture(path, 32, 3, 1.0)
    assert error.value.reason.startswith(("it is cut short", "it is damaged", "no picture format"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"not a picture at all", "no picture format is recognised in it"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "it is HEIC or a video; save it as JPEG or PNG"),
    ],
)
def test_no_picture(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadablePicture) as error:
        open_picture(path)
    assert error.value.reason == reason
    assert str(error.value) == f"{path} cannot be used as a picture: {reason}."
    assert isinstance(error.value, UserError)


def test_no_file(tmp_path):
    with pytest.raises(UnreadablePicture, match="there is no such file"):
        open_picture(tmp_path / "none.png")
    with pytest.raises(UnreadablePicture, match="it is a folder"):
        open_picture(tmp_path)


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (10_000, "it is cut short"),  # Pillow would warn; allowed here, but there are no pixels
        (12_000, "it has more than 128 million pixels"),
        (60_000, "it has more than 128 million pixels"),  # an error of Pillow's
    ],
)
def test_absurdly_large_without_a_word_on_the_screen(tmp_path, side, reason):
    header = bytearray(saved(Image.new("1", (8, 8))).getvalue())
    header[16:24] = side.to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    path = tmp_path / "bomb.png"
    path.write_bytes(header)
    code = (
        "import sys\n"
        "from mobilenet_tf.datasets.images import open_picture, UnreadablePicture\n"
        "try: open_picture(sys.argv[1])\n"
        "except UnreadablePicture as error: print(error.reason)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(reason)


@pytest.mark.parametrize(
    ("width", "height", "crop", "box"),
    [
        (100, 100, 1.0, (0, 0, 100, 100)),
        (101, 50, 1.0, (25, 0, 75, 50)),
        (50, 101, 1.0, (0, 25, 50, 75)),
        (256, 341, 0.875, (16, 58, 240, 282)),
        (3, 3, 0.5, (0, 0, 2, 2)),  # 1.5 is rounded up
        (5, 5, 0.5, (1, 1, 4, 4)),  # 2.5 too
        (1, 9, 0.1, (0, 4, 1, 5)),  # never empty
    ],
)
def test_centre_square(width, height, crop, box):
    assert centre_square(width, height, crop) == box


@pytest.mark.parametrize("crop", [0, -1, 1.01, math.nan])
def test_centre_square_refuses(crop):
    with pytest.raises(UserError, match="crop is"):
        centre_square(10, 10, crop)


def reference(square: np.ndarray, size: int) -> np.ndarray:
    """Pillow's BILINEAR in integers, as a phone has to do it: along rows, then along columns."""
    side = len(square)
    scale = side / size
    reach = max(scale, 1.0)
    inverse = 1 / reach
    weights = []
    for out in range(size):
        centre = (out + 0.5) * scale
        first = max(0, int(centre - reach + 0.5))
        last = min(side, int(centre + reach + 0.5))
        share = [max(0.0, 1 - abs((at - centre + 0.5) * inverse)) for at in range(first, last)]
        # Not sum(), which since Python 3.12 is more exact than C.
        total = functools.reduce(operator.add, share)
        weights.append((first, [int(0.5 + one / total * 2**22) for one in share]))

    def along_rows(pixels):
        out = np.full((len(pixels), size, pixels.shape[2]), 1 << 21)
        for column, (first, share) in enumerate(weights):
            for at, weight in enumerate(share):
                out[:, column] += pixels[:, first + at] * weight
        return np.clip(out >> 22, 0, 255)

    across = along_rows(square.astype(np.int64))
    return along_rows(across.swapaxes(0, 1)).swapaxes(0, 1)


@pytest.mark.parametrize("crop", [1.0, 0.875, 0.5])
@pytest.mark.parametrize("size", [24, 32, 57, 96, 110])
def test_prepare_can_be_done_on_a_phone(signs, photo, size, crop):
    tall = photo.resize((30, 900))
    for image in (open_picture(next(signs.glob("3/*"))), photo, photo.transpose(STORED[6]), tall):
        left, top, right, bottom = centre_square(*image.size, crop)
        expected = reference(np.asarray(image)[top:bottom, left:right], size)
        pixels = prepare(image, size, 3, crop)
        assert (pixels.shape, pixels.dtype) == ((size, size, 3), np.uint8)
        np.testing.assert_array_equal(pixels, expected)
        red, green, blue = np.moveaxis(expected, -1, 0)
        grey = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
        np.testing.assert_array_equal(prepare(image, size, 1, crop)[..., 0], grey)


def test_nothing_outside_the_square_counts(photo):
    framed = Image.new("RGB", (68, 90), "white")
    framed.paste(photo.crop((8, 0, 40, 32)), (18, 29))
    np.testing.assert_array_equal(
        prepare(framed, 16, 3, 32 / 68), prepare(photo.crop((8, 0, 40, 32)), 16, 3, 1.0)
    )


def test_normalise():
    pixels = np.uint8([0, 128, 255])
    values = InputSpec(mean=128, std=127.5).normalise(pixels)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [-128 / 127.5, 0, 127 / 127.5], rtol=1e-6)
