"""The page computes what Python computes: input pixels byte for byte, scores to the last bit."""

import io
from itertools import product

import numpy as np
import pytest
from PIL import Image

from benchmarks.browser import NO_RELAXED_SIMD
from mobilenet_tf.core.inputs import FITS, RESIZES, InputSpec
from mobilenet_tf.datasets.images import prepare, read_image
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.networks.zoo import make_network
from tests.export.devices.web.conftest import DIGITS

pytestmark = pytest.mark.web
FAMILIES = ("v1", "v2", "v3_small", "v3_large", "v4_conv_s", "mnasnet_a1", "squeezenet_1_1")
PICTURES = 32


def png(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """A part of one of scikit-learn's photos."""
    from sklearn.datasets import load_sample_images

    source = Image.fromarray(load_sample_images().images[seed % 2])
    left, top = 37 * seed % 200, 53 * seed % 100
    return source.crop((left, top, left + width, top + height))


def test_golden_pictures(page, golden_cases):
    """The pictures of the Android app's tests, committed with their pixels."""
    folder, cases = golden_cases
    photos = [(case, expected) for case, expected in cases if case.get("exif") == 1]
    assert len(photos) == 5
    for case, expected in photos:
        content = (folder / f"{case['photo']}.png").read_bytes()
        prepared = {name: case[name] for name in ("channels", "crop", "fit", "resize")}
        spec = InputSpec(case["size"], **prepared)
        assert page.prepared(content, spec).tobytes() == expected, case


@pytest.mark.parametrize("fit", FITS)
def test_every_fit_and_filter(page, fit):
    """Photos, enlarged and reduced, in the shapes that pictures and networks have."""
    shapes = ((300, 200), (131, 257), (64, 64), (20, 33))
    for seed, (shape, resize) in enumerate(product(shapes, RESIZES)):
        image = photo(*shape, seed)
        spec = InputSpec(
            (32, 57, 96)[seed % 3], 1 + 2 * (seed % 2), 117.0, crop=(1, 0.875)[seed % 2], fit=fit,
            resize=resize,
        )  # fmt: skip
        found = page.prepared(png(image), spec)
        np.testing.assert_array_equal(found, prepare(image, spec), str((shape, spec)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpegs_are_upright_and_the_same(page, orientation, tmp_path):
    """All orientations of EXIF. At twice the input's size at most, no decoder reduces them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    path.write_bytes(png(photo(180, 150, orientation), "JPEG", quality=90, exif=exif))
    spec = InputSpec(96, crop=0.875)
    difference = page.prepared(path.read_bytes(), spec).astype(int) - read_image(path, spec)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(("size", "side"), [(32, 1600), (96, 1600), (96, 4001), (224, 1603)])
def test_large_jpegs(page, size, side, tmp_path):
    """Training decodes them at an eighth to a half of their size; the page takes means."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(png(photo(400, 300, size).resize((side, side * 3 // 4)), "JPEG", quality=92))
    spec = InputSpec(size, crop=0.875)
    found, expected = page.prepared(path.read_bytes(), spec).astype(int), read_image(path, spec)
    assert np.abs(found - expected).max() <= 3
    assert np.abs(found - expected).mean() <= 0.3


def test_interpolated_jpegs_are_not_reduced(page, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(png(photo(400, 300).resize((1200, 901)), "JPEG", quality=92))
    spec = InputSpec(64, fit="stretch", resize="mediapipe")
    difference = page.prepared(path.read_bytes(), spec).astype(int) - read_image(path, spec)
    assert np.abs(difference).max() <= 1


def test_transparent_pictures_are_on_white(page, tmp_path):
    """Canvases store pixels times their opacity, which costs one level."""
    image = photo(120, 100)
    image.putalpha(Image.linear_gradient("L").resize((120, 100)))
    path = tmp_path / "logo.png"
    path.write_bytes(png(image))
    spec = InputSpec(64)
    difference = page.prepared(path.read_bytes(), spec).astype(int) - read_image(path, spec)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("build", ["relaxed SIMD", "compatible"])
def test_scores_of_every_family(open_page, build):
    """0 LSB of XNNPACK's scores in Python, in both builds."""
    page = open_page(script="" if build == "relaxed SIMD" else NO_RELAXED_SIMD)
    assert build in page.text("facts")
    for name in FAMILIES:
        network = make_network(name, 0.25 if name != "squeezenet_1_1" else 1.0, 64, 10)
        content = with_uint8_ends(int8_file(network, fuse_hard_swish=False))
        compare(page, content, np.uint8)
    compare(page, DIGITS.read_bytes(), np.uint8)


def compare(page, content: bytes, dtype) -> None:
    """Run a model on the same pixels in both, and compare every bit of its output."""
    model = TFLiteModel(content)
    _, height, width, channels = model.input.shape
    pictures = [
        prepare(photo(100 + 3 * seed, 120, seed), InputSpec((height, width), channels))
        for seed in range(PICTURES)
    ]
    expected = model.run_raw(np.stack(pictures))
    assert len(np.unique(expected, axis=0)) > PICTURES / 2
    scores = page.outputs(content, np.stack(pictures)).view(dtype)
    if dtype == np.uint8:
        np.testing.assert_array_equal(scores, expected)
    else:
        np.testing.assert_allclose(scores, expected, atol=2e-6)


def test_float_files(page, files):
    """Their sums are taken in another order: the last bits differ."""
    for source in (files.float32, files.float16):
        content = add_metadata(
            source.read_bytes(), name="f", description="f", labels=list("abcde"),
            input_spec=InputSpec(),
        )  # fmt: skip
        compare(page, content, np.float32)


def test_files_with_int8_ends_as_uint8(page, files):
    """What `mobilenet-tf web` makes of them runs; as they are, they are refused."""
    for source in (files.int8, files.swish):
        compare(page, with_uint8_ends(source.read_bytes()), np.uint8)
    page.open_model("a.tflite", files.int8.read_bytes())
    page.wait("() => document.getElementById('error').textContent")
    assert "a.tflite has an int8 input, which LiteRT.js does not take; " in page.text("error")
    assert page.text("title").startswith("MobileNet v1 0.25")
