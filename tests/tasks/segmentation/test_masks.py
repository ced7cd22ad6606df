"""From logits to masks, in the input and in the picture."""

import numpy as np
import pytest
import tensorflow as tf
from pycocotools import mask as coco

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.tasks.segmentation.masks import (
    colour,
    legend,
    on_picture,
    overlay,
    predicted,
    run_lengths,
    side_by_side,
    weights,
)

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("small", "factor"), [((6, 4), 8), ((5, 7), 4), ((3, 3), 2), ((4, 4), 1)])
def test_masks_are_those_of_bilinear_enlargement(small, factor):
    logits = RANDOM.normal(size=(3, *small, 5)).astype(np.float32)
    sides = tuple(factor * side for side in small)
    expected = tf.image.resize(logits, sides, "bilinear").numpy().argmax(axis=-1)
    assert (predicted(logits, sides) == expected).mean() > 0.999  # float32 rounds there


def test_integers_decide_as_their_real_values_do():
    integers = RANDOM.integers(-128, 128, (4, 6, 6, 3)).astype(np.int8)
    real = (integers.astype(np.float64) + 7) * 0.125  # exact
    np.testing.assert_array_equal(predicted(integers, (48, 48)), predicted(real, (48, 48)))


def test_of_equal_logits_the_first_class_is_taken():
    assert predicted(np.zeros((1, 2, 2, 4), np.int8), (16, 16)).max() == 0


def test_weights_are_whole_and_alike():
    for small in (1, 2, 5):
        found = weights(8 * small, small)
        assert (found == found.round()).all()
        assert (found.sum(axis=1) == 16).all()


def test_run_lengths_are_cocos():
    for share in (0, 0.3, 1):
        inside = RANDOM.random((13, 9)) < share
        runs = {"size": list(inside.shape), "counts": run_lengths(inside)}
        np.testing.assert_array_equal(coco.decode(coco.frPyObjects(runs, 13, 9)), inside)


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_a_mask_returns_to_where_its_picture_was(fit):
    spec = InputSpec((32, 48), fit=fit)
    framing = spec.framing((100, 60))
    rows, columns = np.mgrid[0:32, 0:48]
    found = on_picture((rows // 8 * 6 + columns // 8).astype(np.uint8), framing)
    assert found.shape == (60, 100)
    y, x = np.mgrid[0:60, 0:100] + 0.5
    left, top, right, bottom = framing.placement.source
    seen = (x > left) & (x < right) & (y > top) & (y < bottom)
    assert (found[~seen] == IGNORED).all()
    across, down = framing.placement.to_input(np.stack([x, y], -1))[seen].T
    expected = np.minimum(down.astype(int), 31) // 8 * 6 + np.minimum(across.astype(int), 47) // 8
    np.testing.assert_array_equal(found[seen], expected)


def test_colours_are_pascal_vocs():
    assert [colour(index) for index in (0, 1, 2, 15)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (192, 128, 128),
    ]
    assert len({colour(index) for index in range(256)}) == 256


def test_overlays_show_classes_and_leave_the_rest():
    pixels = np.full((2, 3, 1), 100, np.uint8)
    mask = np.array([[0, 1, IGNORED], [0, 2, 1]], np.uint8)
    shown = overlay(pixels, mask)
    assert (shown[mask == 0] == 100).all()
    assert (shown[0, 2] == 100).all()
    np.testing.assert_array_equal(shown[0, 1], [117, 40, 40])
    assert side_by_side(pixels, mask, mask).shape == (2, 17, 3)


def test_a_legend_names_any_class():
    assert legend(["background", "Schlüssel", "猫" * 50]).shape[0] == 48
