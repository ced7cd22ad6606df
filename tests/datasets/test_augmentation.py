"""Each strong change, on pictures whose pixels say where they came from."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.apply import change, mix
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, draw
from mobilenet_tf.datasets.augmentation.randaugment import (
    OPERATIONS,
    PIXEL_OPERATIONS,
    apply_operations,
    draw_operations,
)
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.pipeline import training_batches

RAW = InputSpec(mean=0.0, std=1.0)
SIDE = 40


def drawn(count=200, size=SIDE, **strengths):
    augmentation = replace(NO_AUGMENTATION, **strengths)
    return augmentation, draw(augmentation, np.random.default_rng(4), count, SIDE, size)


def corners(transforms, size):
    """Where the output's corners (pixels' outer edges) lie in the input, (N, 2, 2) as x, y."""
    places = np.array([[-0.5, -0.5, 1], [size - 0.5, size - 0.5, 1]]).T
    return (transforms[:, :6].reshape(-1, 2, 3) @ places).transpose(0, 2, 1) + 0.5


@pytest.mark.parametrize("size", [SIDE, 32])
def test_a_crop_is_a_rectangle_in_the_picture(size):
    _, changes = drawn(crop=0.2, size=size)
    edges = corners(changes.transforms, size)
    assert edges.min() >= -1e-3
    assert edges.max() <= SIDE + 1e-3
    width, height = (edges[:, 1] - edges[:, 0]).T
    areas = width * height / SIDE**2
    # A rectangle as long as the picture loses what would stick out.
    assert areas.min() >= 0.2 - 1e-3
    assert np.ptp(areas) > 0.6
    assert (width / height).min() >= 3 / 4 - 1e-3
    assert (width / height).max() <= 4 / 3 + 1e-3
    assert np.ptp(edges[:, 0, 0]) > SIDE / 4


def test_weak_changes_are_drawn_as_before_whatever_else_is_on():
    """A recipe with one change more sees the same rotations, shifts and colours."""
    weak = draw(Augmentation(), np.random.default_rng(4), 8, SIDE, 32)
    strong = Augmentation(mixup=0.2, cutmix=1.0)
    for name, values in draw(strong, np.random.default_rng(4), 8, SIDE, 32)._asdict().items():
        if name not in ("shares", "pasted"):
            np.testing.assert_array_equal(values, getattr(weak, name))


PICTURES = tf.constant(np.arange(6.0)[:, None, None, None] * np.ones((6, 16, 16, 1)), tf.float32)
LABELS = tf.one_hot(range(6), 6)


def mixed(**strengths):
    augmentation = replace(NO_AUGMENTATION, **strengths)
    changes = draw(augmentation, np.random.default_rng(1), 6, 16, 16)
    pictures, labels = mix(PICTURES, LABELS, changes, augmentation)
    return pictures.numpy(), labels.numpy()


def test_mixup_mixes_pictures_and_labels_in_the_same_shares():
    pictures, labels = mixed(mixup=1.0)
    assert np.ptp(pictures, axis=(1, 2, 3)).max() < 1e-5
    np.testing.assert_allclose(pictures[:, 0, 0, 0], labels @ np.arange(6), rtol=1e-5)
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-5)
    own = labels[np.arange(6), np.arange(6)]
    assert 0 < own.min() < own.max() < 1


def test_cutmix_pastes_a_rectangle_and_its_share_of_the_label():
    pictures, labels = mixed(cutmix=1.0)
    for row, (picture, label) in enumerate(zip(pictures[..., 0], labels, strict=True)):
        assert set(np.unique(picture)) <= {float(row), 5.0 - row}
        pasted = picture == 5 - row
        assert label[5 - row] == pytest.approx(pasted.mean(), abs=1e-6)
        rows, columns = pasted.any(1), pasted.any(0)
        np.testing.assert_array_equal(pasted, rows[:, None] & columns)
    assert 0 < labels[0, 5] < 1


def test_with_both_each_step_takes_one():
    kinds = set()
    for step in range(20):
        changes = draw(
            replace(NO_AUGMENTATION, mixup=1.0, cutmix=1.0), np.random.default_rng(step), 4, 16, 16
        )
        mixes, pastes = (changes.shares < 1).any(), changes.pasted.any()
        assert mixes != pastes
        kinds.add(bool(mixes))
    assert kinds == {True, False}


def test_labels_of_the_pipeline_are_mixed(make_network):
    split = Split(np.zeros((8, SIDE, SIDE, 3), np.uint8), np.arange(8) % 3, [""] * 8)
    augmentation = replace(NO_AUGMENTATION, mixup=1.0)
    (_, labels), *_ = training_batches(split, make_network(), 8, 0, 1, 0, augmentation)
    assert ((labels.numpy() > 0).sum(1) == 2).any()


def test_randaugment_draws_every_operation():
    random = np.random.default_rng(0)
    drawn = draw_operations(random, 2000, 1, 9.0, 32)
    moved = (np.abs(drawn.warps - np.eye(3).reshape(9)[:8]) > 1e-9).any(1)
    coloured = (drawn.factors != 1).any(0)
    pixels = drawn.operations[:, 0] > 0
    # One round is one operation; 5, 3 and 5 of 14 are of these kinds.
    assert (moved.astype(int) + coloured + pixels).max() == 1
    for share, wanted in ((moved, 5), (coloured, 3), (pixels, 5)):
        assert share.mean() == pytest.approx(wanted / len(OPERATIONS), abs=0.03)
    assert set(drawn.operations[:, 0].astype(int)) == set(range(len(PIXEL_OPERATIONS)))


def one(name, picture, magnitude=5.0):
    number = [[float(PIXEL_OPERATIONS.index(name))]]
    picture = np.asarray(picture, np.float32)[None]
    return apply_operations(tf.constant(picture), tf.constant(number), magnitude)[0].numpy()


def test_pixel_operations_are_pillows(photo):
    """Where Pillow has them: the same pixels, up to its rounding."""
    from PIL import ImageEnhance, ImageOps

    pixels = np.asarray(photo)
    for name, picture in (
        ("identity", photo),
        ("autocontrast", ImageOps.autocontrast(photo)),
        ("equalize", ImageOps.equalize(photo)),
        ("solarize", ImageOps.solarize(photo, 128)),
        ("posterize", ImageOps.posterize(photo, 6)),
        ("sharpen", ImageEnhance.Sharpness(photo).enhance(1.45)),
        ("blur", ImageEnhance.Sharpness(photo).enhance(0.55)),
    ):
        found = one(name, pixels)[1:-1, 1:-1]
        np.testing.assert_allclose(found, np.asarray(picture)[1:-1, 1:-1], atol=1.5, err_msg=name)


def test_randaugment_reaches_the_pixels(make_network):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 255, (16, SIDE, SIDE, 3), dtype=np.uint8)
    augmentation, changes = drawn(16, randaugment=2, magnitude=9.0)
    changed = change(pictures, changes, SIDE, augmentation, RAW).numpy()
    assert changed.min() >= 0
    assert changed.max() <= 255
    different = np.abs(changed - pictures).max(axis=(1, 2, 3)) > 1
    assert different.sum() >= 12
