"""`prepare`: the exact rule, every fit and filter, and how far other paths deviate from it."""

import functools
import io
import itertools
import math
import operator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, RESIZES, InputSpec
from mobilenet_tf.datasets.dataset import rescale, with_margin
from mobilenet_tf.datasets.images import open_image, padding_value, prepare, read_image

FILTERS = [name for name in RESIZES if name != "mediapipe"]  # Pillow's


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
def test_the_centre_square_is_used(width, height, crop, box):
    assert InputSpec(96, crop=crop).placement(width, height).source == box


def test_a_square_input_uses_the_centre_square_at_every_size():
    for side, crop in itertools.product((32, 49, 97, 331), (1.0, 0.875, 0.5, 1 / 3)):
        input_spec = InputSpec(side, crop=crop)
        for width, height in itertools.product(range(1, 400, 7), (1, 50, 117, 333, 1000)):
            square = max(1, math.floor(crop * min(width, height) + 0.5))
            left, top = (width - square) // 2, (height - square) // 2
            box = left, top, left + square, top + square
            assert input_spec.placement(width, height).source == box


@pytest.mark.parametrize("crop", [0, -1, 1.01, math.nan])
def test_a_crop_out_of_range(crop):
    with pytest.raises(UserError, match="crop is"):
        InputSpec(96, crop=crop)


def reference(square: np.ndarray, size: int) -> np.ndarray:
    """Return Pillow's BILINEAR in integer arithmetic, as the Android library computes it."""
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
        # sum() is more exact than C since Python 3.12.
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
@pytest.mark.parametrize("size", [32, 40, 57, 96, 110])
def test_prepare_can_be_done_on_a_phone(signs, photo, size, crop):
    tall, turned = photo.resize((30, 900)), photo.transpose(Image.Transpose.ROTATE_90)
    for image in (open_image(next(signs.glob("3/*"))), photo, turned, tall):
        input_spec = InputSpec(size, crop=crop)
        left, top, right, bottom = input_spec.placement(*image.size).source
        expected = reference(np.asarray(image)[top:bottom, left:right], size)
        pixels = prepare(image, input_spec)
        assert (pixels.shape, pixels.dtype) == ((size, size, 3), np.uint8)
        np.testing.assert_array_equal(pixels, expected)
        red, green, blue = np.moveaxis(expected, -1, 0)
        grey = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
        pixels = prepare(image, replace(input_spec, channels=1))
        np.testing.assert_array_equal(pixels[..., 0], grey)


def interpolated(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return what MediaPipe makes of pixels, one value after the other, in exact fractions."""

    def neighbours(at: int, old: int, new: int) -> list[tuple[int, int]]:
        # Python rounds a half to the even number, too.
        first, part = divmod(round(Fraction(32 * at * old, new)), 32)
        return [(min(first, old - 1), 32 - part), (min(first + 1, old - 1), part)]

    found = np.zeros((height, width, 3), int)
    for y, x in np.ndindex(height, width):
        rows, columns = neighbours(y, len(pixels), height), neighbours(x, pixels.shape[1], width)
        for (row, down), (column, across) in itertools.product(rows, columns):
            found[y, x] += down * across * pixels[row, column].astype(int)
    return (found + 512) // 1024


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (48, 64), (61, 47), (33, 250)])
@pytest.mark.parametrize("target", [(32, 32), (64, 64), (20, 12)])
def test_the_interpolation_of_mediapipe(size, target):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    input_spec = InputSpec(target, fit="stretch", resize="mediapipe")
    found = prepare(Image.fromarray(pixels), input_spec)
    np.testing.assert_array_equal(found, interpolated(pixels, *target))
    grey = prepare(Image.fromarray(pixels), replace(input_spec, channels=1))
    np.testing.assert_array_equal(grey[..., 0], Image.fromarray(found).convert("L"))
    padded = prepare(Image.fromarray(pixels), replace(input_spec, fit="pad"))
    left, top, right, bottom = replace(input_spec, fit="pad").placement(*size[::-1]).target
    np.testing.assert_array_equal(
        padded[top:bottom, left:right], interpolated(pixels, bottom - top, right - left)
    )


def test_interpolation_sees_the_pixels_of_the_file(photo):
    """A JPEG is not reduced while it is decoded, which would smooth it."""
    file = io.BytesIO()
    photo.resize((640, 640)).save(file, "JPEG")
    input_spec = InputSpec(32, fit="stretch", resize="mediapipe")
    whole = prepare(Image.open(file), input_spec)
    file.seek(0)
    np.testing.assert_array_equal(read_image(file, input_spec), whole)
    assert (whole != prepare(Image.open(file).reduce(4), input_spec)).any()


def test_nothing_outside_the_square_counts(photo):
    square = photo.crop((8, 0, 40, 32)).resize((64, 64))
    framed = Image.new("RGB", (136, 180), "white")
    framed.paste(square, (36, 58))
    np.testing.assert_array_equal(
        prepare(framed, InputSpec(32, crop=64 / 136)), prepare(square, InputSpec(32))
    )


def test_normalise():
    pixels = np.uint8([0, 128, 255])
    values = InputSpec(mean=128, std=127.5).normalise(pixels)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [-128 / 127.5, 0, 127 / 127.5], rtol=1e-6)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("resize", FILTERS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(40, 40), (32, 64), (70, 33)])
def test_each_fit_and_filter(photo, fit, resize, channels, size):
    """The source box, its rows resized and then its columns, in the target box; else the mean."""
    input_spec = InputSpec(size, channels, mean=99.7, crop=0.9, fit=fit, resize=resize)
    placement = input_spec.placement(*photo.size)
    left, top, right, bottom = placement.target
    part = photo.crop(placement.source)
    for side in (part.height, bottom - top):
        part = part.resize((right - left, side), getattr(Image.Resampling, resize.upper()))
    expected = np.asarray(part if channels == 3 else part.convert("L"))
    pixels = prepare(photo, input_spec)
    assert (pixels.shape, pixels.dtype) == (input_spec.shape, np.uint8)
    inside = np.zeros(size, bool)
    inside[top:bottom, left:right] = True
    np.testing.assert_array_equal(pixels[inside], expected.reshape(-1, channels))
    assert (pixels[~inside] == 100).all()
    assert inside.all() or fit == "pad"


def test_what_each_fit_shows():
    """A red frame around a wide image: `crop` loses its left and right, the others keep it."""
    image = Image.new("RGB", (200, 100), (255, 0, 0))
    image.paste((0, 0, 255), (10, 10, 190, 90))
    found = {fit: prepare(image, InputSpec(100, fit=fit, resize="nearest")) for fit in FITS}
    red = {fit: (pixels == (255, 0, 0)).all(-1) for fit, pixels in found.items()}
    np.testing.assert_array_equal(red["crop"][:, 50], red["crop"][:, 0])
    assert red["stretch"][:, [0, 4, 95, 99]].all()
    assert (red["stretch"].sum(0)[5:95] == 20).all()
    assert red["pad"][25:75, [0, 4, 95, 99]].all()
    assert (found["pad"][:25] == 128).all()
    assert (found["pad"][75:] == 128).all()


@pytest.mark.parametrize(("mean", "grey"), [(128.0, 128), (127.4, 127), (-3.0, 0), (300.0, 255)])
def test_padding_is_the_mean_as_a_pixel(mean, grey):
    assert padding_value(InputSpec(mean=mean)) == grey


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (97, 33), (50, 1)])
@pytest.mark.parametrize("crop", [1.0, 0.7])
def test_points_are_mapped_to_the_input_and_back(fit, size, crop):
    placement = InputSpec((60, 90), fit=fit, crop=crop).placement(*size)
    source, target = (
        np.array([[box[x], box[y]] for x in (0, 2) for y in (1, 3)], float)
        for box in (placement.source, placement.target)
    )
    np.testing.assert_allclose(placement.to_input(source), target, atol=1e-9)
    np.testing.assert_allclose(placement.to_picture(target), source, atol=1e-9)
    points = np.random.default_rng(0).uniform(0, 500, (20, 2))
    np.testing.assert_allclose(placement.to_picture(placement.to_input(points)), points)


@pytest.mark.parametrize("fit", FITS)
def test_a_point_lands_where_its_pixels_do(fit):
    """A bright square of an image is found in the input at the mapped position."""
    input_spec = InputSpec((64, 96), 1, fit=fit)
    image = Image.new("RGB", (300, 280))
    image.paste((255, 255, 255), (140, 120, 180, 160))
    pixels = prepare(image, input_spec)[..., 0].astype(float)
    if fit == "pad":
        pixels[:, [*range(14), *range(82, 96)]] = 0
    weights = pixels / pixels.sum()
    y, x = np.indices(pixels.shape) + 0.5
    centre = input_spec.placement(*image.size).to_input(np.array([160.0, 140.0]))
    np.testing.assert_allclose([(x * weights).sum(), (y * weights).sum()], centre, atol=0.1)


def test_a_rotated_photo_is_decoded_large_enough(photo):
    """A JPEG is scaled down before it is rotated, so its sides must suffice either way."""
    upright, file = photo.resize((400, 1600)), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=exif)
    file.seek(0)
    input_spec = InputSpec((160, 40))
    exact = prepare(open_image(file), input_spec).astype(int)
    file.seek(0)
    assert np.abs(read_image(file, input_spec) - exact).mean() < 1


@pytest.mark.parametrize(
    ("data", "mean", "largest", "share"),
    [("sign_digits", 1.09, 61, 0.149), ("clothing", 1.64, 43, 0.301)],
)
def test_how_far_calibration_images_deviate(photos, data, mean, largest, share):
    """The values in the module's docstring."""
    input_spec = InputSpec(96)
    exact = np.stack([read_image(path, input_spec) for path in photos(data)]).astype(int)
    stored = np.stack([read_image(path, with_margin(input_spec)) for path in photos(data)])
    scaled = rescale(stored, input_spec)
    difference = np.abs(scaled - exact)
    assert difference.mean() == pytest.approx(mean, abs=0.05)
    assert difference.max() <= largest + 5
    assert (difference > 1).mean() == pytest.approx(share, abs=0.01)
    assert abs(int(scaled.min()) - exact.min()) <= 3
    assert abs(int(scaled.max()) - exact.max()) <= 3


@pytest.mark.parametrize(
    ("data", "mean", "largest"), [("sign_digits", 0.18, 1), ("clothing", 0.14, 12)]
)
def test_how_far_streams_deviate(photos, data, mean, largest):
    """The values in the module's docstring."""
    import tensorflow as tf

    from mobilenet_tf.datasets.stream import _decode, _placement

    input_spec, found = InputSpec(96), []
    for path in photos(data):
        encoded = tf.constant(path.read_bytes())
        found.append(_decode(encoded, *_placement(encoded, input_spec), input_spec).numpy())
    exact = np.stack([read_image(path, input_spec) for path in photos(data)]).astype(int)
    difference = np.abs(np.stack(found) - exact)
    assert difference.mean() == pytest.approx(mean, abs=0.02)
    assert difference.max() <= largest + 2
    assert (difference > 1).mean() < 0.0001


@pytest.fixture
def photos(signs):
    """Paths of 200 photos of a shared dataset that are stored upright."""

    def choose(data: str) -> list[Path]:
        folder = signs.parent / data
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".jpg")
        return [path for path in paths[:: len(paths) // 200][:200] if _is_upright(path)]

    return choose


def _is_upright(path: Path) -> bool:
    with Image.open(path) as image:
        return image.getexif().get(0x0112, 1) == 1
