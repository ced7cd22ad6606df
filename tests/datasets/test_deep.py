"""Greys of more than 8 bits share one range, which follows the network wherever it goes."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.contents import describe
from mobilenet_tf.datasets.deep import Extremes, usual_level
from mobilenet_tf.datasets.images import read_image, read_picture
from mobilenet_tf.datasets.load import load_data, load_test


def grey(values, dtype=np.uint16) -> Image.Image:
    return Image.fromarray(np.asarray(values, dtype))


def ramp(top: float, dtype=np.uint16) -> Image.Image:
    """32x32 values from 0 to `top`."""
    return grey(np.tile(np.linspace(0, top, 32), (32, 1)), dtype)


@pytest.fixture
def deep_folder(tmp_path):
    """Classes of 12-bit pictures in files of 16 bits; those of `dark` are a quarter as bright."""
    root = tmp_path / "data"
    random = np.random.default_rng(0)
    for name, top in (("bright", 4095), ("dark", 1020)):
        (root / name).mkdir(parents=True)
        for index in range(8):
            values = random.integers(0, top + 1, (32, 32))
            values[0, 0] = top
            grey(values).save(root / name / f"{index}.png")
    return root


@pytest.mark.parametrize(
    ("highest", "level"),
    [
        *[(0, 1), (1, 1), (1.5, 255), (255, 255), (256, 1023), (4095, 4095), (4096, 16383)],
        *[(65535, 65535), (65536, 2**31 - 1), (1e12, 1e12)],
    ],
)
def test_the_smallest_usual_range_that_holds_all(highest, level):
    assert usual_level([Extremes(-9, 0), Extremes(0, highest)]) == level
    assert usual_level([]) is None


@pytest.mark.parametrize(
    ("values", "dtype", "form"),
    [
        ([[0, 16, 2056, 4095, 9000]], np.uint16, "PNG"),
        ([[0, 16, 2056, 4095, 9000]], np.uint16, "TIFF"),
        ([[-7, 16, 2056, 4095, 70000]], np.int32, "TIFF"),
        ([[np.nan, 16, 2056, 4095, 1e30]], np.float32, "TIFF"),
    ],
)
def test_one_level_scales_every_kind(tmp_path, values, dtype, form):
    path = tmp_path / f"a.{form.lower()}"
    grey(values, dtype).save(path)
    spec = InputSpec((1, 5), white_level=4095.0)
    picture = read_picture(path, spec)
    assert picture.pixels[0, :, 0].tolist() == [0, 1, 128, 255, 255]
    assert picture.deep == Extremes(min(0, *np.nan_to_num(values[0])), np.float32(values[0][-1]))


def test_eight_bits_are_not_concerned(tmp_path, photo):
    photo.save(tmp_path / "a.png")
    photo.convert("L").save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        picture = read_picture(tmp_path / name, InputSpec(32))
        assert picture.deep is None
        np.testing.assert_array_equal(
            picture.pixels, read_image(tmp_path / name, InputSpec(32, white_level=4095.0))
        )


def test_the_training_images_of_a_dataset_decide(deep_folder, photo):
    photo.save(deep_folder / "dark" / "photo.png")
    data = load_data(deep_folder, InputSpec(32))
    assert data.white_level == 4095
    assert "16 images have greys of more than 8 bits, scaled from 0..4,095 to 0..255" in describe(
        data
    )
    for split in (data.validation, data.test):
        for image, name in zip(split.images, split.names, strict=True):
            if "photo" not in name:
                bright = name.startswith("bright")
                assert image[0, 0, 0] == (255 if bright else 64), name
    # Read again with the level that was found, as a run does when it is resumed.
    again = load_data(deep_folder, InputSpec(32, white_level=data.white_level))
    assert again.fingerprint == data.fingerprint


def test_pictures_outside_the_range_are_clipped_and_counted(deep_folder):
    for split in ("train", "test"):
        (deep_folder / split).mkdir()
    for name in ("bright", "dark"):
        (deep_folder / "test" / name).mkdir()
        ramp(60000).save(deep_folder / "test" / name / "a.png")
        (deep_folder / name).rename(deep_folder / "train" / name)
    grey(np.full((32, 32), -5), np.int32).save(deep_folder / "train" / "dark" / "b.tif")
    data = load_data(deep_folder, InputSpec(32))
    assert data.white_level == 4095
    assert "3 images have values outside of that, which are clipped (test/bright/a.png, " in (
        describe(data)
    )
    spec = InputSpec(32, white_level=4095.0)
    found = load_test(str(deep_folder), ["bright", "dark"], spec)
    assert "2 images have values outside of that" in found.notes[1]
    assert found.images.images[0, 0, 2, 0] == 241


def test_runs_of_earlier_versions_scale_each_picture_by_itself(deep_folder):
    """Their `config.toml` has no white level, and their data must not seem to have changed."""
    data = load_data(deep_folder, InputSpec(32), judge_depth=False)
    assert data.white_level is None
    assert "16 images have greys of more than 8 bits, each scaled by itself" in data.notes
    name = data.test.names[0]
    values = np.asarray(Image.open(deep_folder / name))
    np.testing.assert_array_equal(data.test.images[0, ..., 0], values >> 8)
    assert "white_level" not in InputSpec(32).to_dict()


def test_a_level_is_kept_as_text(tmp_path):
    spec = InputSpec(32, white_level=4095.0)
    assert InputSpec.from_dict(spec.to_dict()) == spec
    for wrong in (0, -1.0, float("nan"), float("inf"), "4095", True):
        with pytest.raises(UserError, match="white_level is"):
            InputSpec(white_level=wrong)
