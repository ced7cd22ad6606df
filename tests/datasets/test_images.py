"""Files of every format, intact and damaged, and the images they are decoded to."""

import io
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets import images
from mobilenet_tf.datasets.images import (
    UnreadableImage,
    open_image,
    prepare,
    read_image,
)

# What each orientation's file looks like, from the upright image.
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
def test_exif_orientation_gives_the_upright_image(photo, orientation, form):
    stored = photo if orientation == 1 else photo.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(open_image(saved(stored, form, exif=exif)), photo) < 5


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_ignored(photo):
    file = saved(photo, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01\x12")
    assert difference(open_image(file), photo) < 5


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
    assert difference(open_image(saved(photo, form, **options)), photo) < 8


def test_cmyk(photo):
    expected = photo.convert("CMYK").convert("RGB")
    for form in ("TIFF", "JPEG"):
        assert difference(open_image(saved(photo.convert("CMYK"), form)), expected) < 5


def test_grey_and_one_bit(photo):
    grey = photo.convert("L")
    assert difference(open_image(saved(grey)), grey.convert("RGB")) == 0
    bits = photo.convert("1")
    assert difference(open_image(saved(bits)), bits.convert("RGB")) == 0


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
    image = open_image(saved(Image.fromarray(values), form))
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], [0, 1, 128, 255])


def test_floats_that_are_no_numbers():
    image = open_image(saved(Image.fromarray(np.float32([[np.nan, np.inf, 1, 0]])), "TIFF"))
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
        image = open_image(file)
        assert image.mode == "RGB"
        assert image.getpixel((0, 0)) == solid
        assert image.getpixel((3, 3)) == images.BACKGROUND


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_many(photo, form):
    frames = [Image.new("RGB", photo.size, "black")] * 2
    file = saved(photo, form, save_all=True, append_images=frames)
    assert difference(open_image(file), photo) < 8


def test_photos_are_decoded_at_a_fraction(photo, tmp_path):
    path = tmp_path / "photo.jpg"
    photo.resize((1600, 1200)).save(path)
    for at_least, size in ((150, (200, 150)), (151, (400, 300)), (601, (1600, 1200))):
        assert open_image(path, at_least).size == size
    assert open_image(path).size == (1600, 1200)
    whole = prepare(open_image(path), InputSpec(96))
    assert np.abs(read_image(path, InputSpec(96)).astype(int) - whole).mean() < 1


@pytest.mark.parametrize(
    ("form", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {})],
)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97])
def test_cut_short(photo, tmp_path, form, options, share):
    whole = saved(photo.resize((400, 300)), form, **options).getvalue()
    path = tmp_path / f"cut.{form.lower()}"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnreadableImage, match=str(path)) as error:
        read_image(path, InputSpec(32))
    assert error.value.reason.startswith(
        ("it is truncated", "it is damaged", "it has no known image format")
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"not a image at all", "it has no known image format"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "it is HEIC or a video; save it as JPEG or PNG"),
    ],
)
def test_no_image(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage) as error:
        open_image(path)
    assert error.value.reason == reason
    assert str(error.value) == f"{path} cannot be read as an image: {reason}."
    assert isinstance(error.value, UserError)


def test_no_file(tmp_path):
    with pytest.raises(UnreadableImage, match="there is no such file"):
        open_image(tmp_path / "none.png")
    with pytest.raises(UnreadableImage, match="it is a folder"):
        open_image(tmp_path)


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (10_000, "it is truncated"),  # Pillow would warn; allowed here, but there are no pixels
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
        "from mobilenet_tf.datasets.images import open_image, UnreadableImage\n"
        "try: open_image(sys.argv[1])\n"
        "except UnreadableImage as error: print(error.reason)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(reason)
