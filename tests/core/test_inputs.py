"""What an `InputSpec` accepts, and where pictures land in an input."""

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, InputSpec


def test_a_square_has_a_short_form():
    square = InputSpec(96)
    assert square == InputSpec((96, 96))
    assert (square.height, square.width, square.side, square.size_text) == (96, 96, 96, "96")
    assert square.to_dict()["size"] == 96
    oblong = InputSpec((64, 96), 1)
    assert (oblong.shape, oblong.size_text) == ((64, 96, 1), "64x96")
    with pytest.raises(UserError, match="size is 96x64"):
        _ = oblong.side


@pytest.mark.parametrize("spec", [InputSpec(), InputSpec((64, 96), 1, 0.0, 255.0, 0.875, "pad")])
def test_plain_values_bring_it_back(spec):
    assert InputSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"size": 0}, "size is 0; it must be a whole number of at least 1"),
        ({"size": 96.5}, "size is 96.5"),
        ({"size": (96, 96, 96)}, r"size is \(96, 96, 96\)"),
        ({"size": 10**6}, "size is 1000000"),
        ({"channels": 4}, "channels is 4; it must be 1"),
        ({"mean": float("nan")}, "mean is nan"),
        ({"std": 0.0}, "std is 0; it must be greater than 0"),
        ({"crop": 1.5}, "crop is 1.5; it must be greater than 0 and at most 1"),
        ({"fit": "squash"}, "fit is 'squash'; it must be one of crop, stretch, pad"),
        ({"resize": "magic"}, "resize is 'magic'; it must be one of bilinear"),
    ],
)
def test_wrong_values_are_named(fields, expected):
    with pytest.raises(UserError, match=expected):
        InputSpec(**fields)


def test_unknown_fields_are_named():
    with pytest.raises(UserError, match="unknown field 'zoom'"):
        InputSpec.from_dict({"size": 96, "zoom": 2})


def test_pixels_are_the_quantized_input():
    spec = InputSpec(96, mean=128.0, std=127.5)
    assert spec.bounds == (-128 / 127.5, 127 / 127.5)
    values = spec.normalise(np.uint8([0, 128, 255]))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [spec.bounds[0], 0, spec.bounds[1]], rtol=1e-6)


def test_placement_of_each_fit():
    def placed(fit, crop=1.0):
        return InputSpec((60, 90), fit=fit, crop=crop).placement(300, 300)

    assert placed("crop").source == (0, 50, 300, 250)
    assert placed("crop").target == (0, 0, 90, 60)
    assert placed("stretch").source == (0, 0, 300, 300)
    assert placed("pad").source == (0, 0, 300, 300)
    assert placed("pad").target == (15, 0, 75, 60)
    assert placed("stretch", 0.5).source == (75, 75, 225, 225)


@pytest.mark.parametrize("size", [(48, 32), (31, 77), (1, 9), (4000, 3000)])
@pytest.mark.parametrize("crop", [1.0, 0.875, 0.01])
def test_the_centre_square_is_an_integer_box(size, crop):
    """side = max(1, floor(crop * shorter side + 0.5)), left = (width - side) // 2."""
    width, height = size
    left, top, right, bottom = InputSpec(96, crop=crop).placement(width, height).source
    side = max(1, int(np.floor(crop * min(size) + 0.5)))
    assert (right - left, bottom - top) == (side, side)
    assert (left, top) == ((width - side) // 2, (height - side) // 2)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (97, 33)])
def test_mapping_to_the_input_and_back(fit, size):
    placement = InputSpec((60, 90), fit=fit, crop=0.9).placement(*size)
    left, top, right, bottom = placement.source
    corners = np.array([[left, top], [right, bottom]], float)
    np.testing.assert_allclose(
        placement.to_input(corners).ravel(), np.array(placement.target, float)
    )
    points = np.random.default_rng(0).uniform(0, 500, (7, 5, 2))
    np.testing.assert_allclose(placement.to_picture(placement.to_input(points)), points)


def test_any_side_is_an_input_but_not_of_the_papers_networks():
    from mobilenet_tf.networks.zoo import make_network

    assert InputSpec((1, 28), 1).shape == (1, 28, 1)
    with pytest.raises(UserError, match="size is 28; it must be a whole number of at least 32"):
        make_network("v2", size=28)
