"""Frames of a camera become, in C, the pixels that training made of the same picture."""

import shutil
import subprocess
from fractions import Fraction
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.inputs import FITS, InputSpec
from mobilenet_tf.datasets.images import padding_value, prepare
from mobilenet_tf.deployment.devices.c.folder import _RESIZES
from tests.export.devices.c.files import SANITIZERS

pytestmark = pytest.mark.xdist_group("c_frames")
FORMATS = ("grey", "rgb888", "rgb565", "rgb565_msb", "yuyv", "uyvy")
_MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include "mtf_frame.h"

/* Numbers: format, height, width, of the frame; height, width, channels, fit, crop, of, fill,
 * resize; bytes of scratch that are missing. */
int main(int count, char **texts) {
  int v[12] = {0};
  for (int i = 1; i < count && i < 13; ++i) v[i - 1] = atoi(texts[i]);
  const size_t pixels = (size_t)v[1] * (size_t)v[2], bytes[] = {1, 3, 2, 2, 2, 2};
  uint8_t *const data = malloc(pixels * bytes[v[0]]);
  const mtf_frame frame = {data, (int16_t)v[1], (int16_t)v[2], (mtf_format)v[0]};
  const mtf_input input = {(int16_t)v[3], (int16_t)v[4], (int16_t)v[5], (mtf_fit)v[6],
                           v[7], v[8], (uint8_t)v[9], (mtf_resize)v[10]};
  const size_t size = (size_t)(v[3] * v[4] * v[5]);
  int8_t *const image = malloc(size);
  mtf_scratch scratch = {NULL, mtf_frame_scratch(&frame, &input) - v[11]};
  scratch.data = malloc((size_t)scratch.bytes);
  if (fread(data, bytes[v[0]], pixels, stdin) != pixels) return 99;
  const int error = mtf_prepare(&frame, &input, image, scratch);
  if (error == 0) fwrite(image, 1, size, stdout);
  free(data), free(image), free(scratch.data);
  return error;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A program that prepares a frame in exactly the scratch that is asked for, or less."""
    folder = tmp_path_factory.mktemp("frames")
    kernels = resources.files("mobilenet_tf.deployment.devices.c") / "templates/src/kernels"
    for name in ("mtf_frame.c", "mtf_frame.h", "mtf_kernels.h"):
        shutil.copy(str(kernels / name), folder)
    (folder / "main.c").write_text(_MAIN)
    options = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", *SANITIZERS]
    command = ["cc", *options, "main.c", "mtf_frame.c", "-o", "frames"]
    subprocess.run(command, check=True, cwd=folder)
    return folder / "frames"


@pytest.fixture(scope="module")
def photo():
    """A photo with edges and colours: uint8 (height, width, 3)."""
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg")


def prepared(program, name, data, size, spec, less=0):
    """What the C makes of a frame: its exit code, and pixels if that is 0."""
    crop = Fraction(spec.crop).limit_denominator(10_000)
    numbers = (FORMATS.index(name), *size, *spec.shape, FITS.index(spec.fit))
    numbers += (crop.numerator, crop.denominator, padding_value(spec))
    numbers += (_RESIZES.index(spec.resize), less)
    done = subprocess.run([str(program), *map(str, numbers)], input=data, capture_output=True)
    assert not done.stderr, done.stderr.decode()
    pixels = np.frombuffer(done.stdout, np.uint8) ^ 0x80
    return done.returncode, pixels.reshape(spec.shape) if done.returncode == 0 else None


def encoded(name, rgb):
    """A frame in a camera's format, and the picture that it shows, as uint8 RGB."""
    if name == "grey":
        grey = np.asarray(Image.fromarray(rgb).convert("L"))
        return grey.tobytes(), np.repeat(grey[..., None], 3, 2)
    if name == "rgb888":
        return rgb.tobytes(), rgb
    if name.startswith("rgb565"):
        red, green, blue = (rgb[..., i].astype(np.uint16) >> (3, 2, 3)[i] for i in range(3))
        shown = [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
        packed = (red << 11 | green << 5 | blue).astype(">u2" if name.endswith("msb") else "<u2")
        return packed.tobytes(), np.stack(shown, -1).astype(np.uint8)
    luma, u, v = np.moveaxis(np.asarray(Image.fromarray(rgb).convert("YCbCr")), -1, 0)
    u, v = u[:, ::2], v[:, ::2]
    frame = np.empty((*luma.shape, 2), np.uint8)
    at = 0 if name == "yuyv" else 1
    frame[..., at] = luma
    frame[:, ::2, 1 - at], frame[:, 1::2, 1 - at] = u, v
    u, v = (np.repeat(plane, 2, axis=1) for plane in (u, v))
    shown = Image.merge("YCbCr", [Image.fromarray(np.ascontiguousarray(x)) for x in (luma, u, v)])
    return frame.tobytes(), np.asarray(shown.convert("RGB"))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FORMATS)
def test_formats(program, photo, name, channels):
    """QVGA to 96x96. Only YUV may differ, by 1: Pillow converts it otherwise than libjpeg."""
    frame = np.asarray(Image.fromarray(photo).resize((320, 240)))
    data, shown = encoded(name, frame)
    spec = InputSpec(96, channels, crop=0.875)
    code, found = prepared(program, name, data, (240, 320), spec)
    assert code == 0
    distance = np.abs(found.astype(int) - prepare(Image.fromarray(shown), spec))
    assert distance.max() <= (name in ("yuyv", "uyvy"))
    assert len(np.unique(found)) > 100


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("size", "target"),
    [((120, 160), (96, 96)), ((97, 54), (32, 48)), ((40, 60), (64, 96)), ((64, 64), (64, 64))],
)
def test_fits_and_sizes(program, photo, fit, size, target):
    """Equal to training, smaller or larger, with shares that do not divide."""
    frame = np.ascontiguousarray(photo[: size[0], : size[1]])
    for crop in (1.0, 0.875, 0.61):
        spec = InputSpec(target, 3, mean=99.7, crop=crop, fit=fit)
        code, found = prepared(program, "rgb888", frame.tobytes(), size, spec)
        assert code == 0
        check(found, frame, spec)


@pytest.mark.parametrize("name", FORMATS)
def test_the_interpolation_of_mediapipe(program, photo, name):
    for number, fit in enumerate(FITS):
        height, width = ((120, 160), (97, 54), (20, 30))[number]
        data, shown = encoded(name, np.ascontiguousarray(photo[:height, :width]))
        spec = InputSpec((64, 40), 1 + 2 * (number % 2), fit=fit, resize="mediapipe")
        code, found = prepared(program, name, data, (height, width), spec)
        assert code == 0
        distance = np.abs(found.astype(int) - prepare(Image.fromarray(shown), spec))
        assert distance.max() <= (name in ("yuyv", "uyvy"))


def check(found, frame, spec):
    """Equal to training; but Pillow 13 begins with the columns where height shrinks much more.

    Both axes shrink alike with `crop`; with `pad` as far as few pixels can be rounded.
    """
    distance = np.abs(found.astype(int) - prepare(Image.fromarray(frame), spec))
    assert distance.max() <= (spec.fit != "crop"), (frame.shape, spec)


def test_many_sizes_are_equal_to_training(program, photo):
    random = np.random.default_rng(0)
    for _ in range(40):
        height, width = (int(side) for side in random.integers(3, 200, 2))
        spec = InputSpec(
            tuple(map(int, random.integers(1, 120, 2))), 3, fit=str(random.choice(FITS))
        )
        frame = np.ascontiguousarray(photo[:height, :width])
        code, found = prepared(program, "rgb888", frame.tobytes(), (height, width), spec)
        assert code == 0
        check(found, frame, spec)


def test_too_little_scratch_is_an_error(program, photo):
    frame = np.ascontiguousarray(photo[:48, :64])
    code, _ = prepared(program, "rgb888", frame.tobytes(), (48, 64), InputSpec(32), less=1)
    assert code == 2
