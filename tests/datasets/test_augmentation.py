"""Every strong change, on images whose pixels show where they came from."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import tensorflow as tf

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.apply import change, mix
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, draw
from mobilenet_tf.datasets.augmentation.operations import apply_operations
from mobilenet_tf.datasets.augmentation.randaugment import (
    OPERATIONS,
    PIXEL_OPERATIONS,
    draw_operations,
)
from mobilenet_tf.datasets.batch_plan import BatchPlan
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.pipeline import training_batches
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy

SIDE = 40
RAW = InputSpec(SIDE, mean=0.0, std=1.0)


def drawn(count=200, size=SIDE, **strengths):
    augmentation = replace(NO_AUGMENTATION, **strengths)
    return augmentation, draw(
        augmentation, np.random.default_rng(4), count, (SIDE, SIDE), (size, size)
    )


def corners(transforms, size):
    """Return where the outer corners of the output lie in the source: (N, 2, 2) as x, y."""
    places = np.array([[-0.5, -0.5, 1], [size - 0.5, size - 0.5, 1]]).T
    return (transforms[:, :6].reshape(-1, 2, 3) @ places).transpose(0, 2, 1) + 0.5


@pytest.mark.parametrize("size", [SIDE, 32])
def test_a_crop_is_a_rectangle_in_the_image(size):
    _, changes = drawn(crop=0.2, size=size)
    edges = corners(changes.transforms, size)
    assert edges.min() >= -1e-3
    assert edges.max() <= SIDE + 1e-3
    width, height = (edges[:, 1] - edges[:, 0]).T
    areas = width * height / SIDE**2
    # A rectangle as long as the image loses what would stick out.
    assert areas.min() >= 0.2 - 1e-3
    assert np.ptp(areas) > 0.6
    assert (width / height).min() >= 3 / 4 - 1e-3
    assert (width / height).max() <= 4 / 3 + 1e-3
    assert np.ptp(edges[:, 0, 0]) > SIDE / 4


def test_weak_changes_are_drawn_as_before_whatever_else_is_on():
    """Turning another change on leaves rotations, shifts and colours as they were."""
    sides = (SIDE, SIDE), (32, 32)
    weak = draw(Augmentation(), np.random.default_rng(4), 8, *sides)
    strong = Augmentation(mixup=0.2, cutmix=1.0)
    for name, values in draw(strong, np.random.default_rng(4), 8, *sides)._asdict().items():
        if name not in ("shares", "pasted"):
            np.testing.assert_array_equal(values, getattr(weak, name))


IMAGES = tf.constant(np.arange(6.0)[:, None, None, None] * np.ones((6, 16, 16, 1)), tf.float32)
LABELS = tf.one_hot(range(6), 6)


def mixed(**strengths):
    augmentation = replace(NO_AUGMENTATION, **strengths)
    changes = draw(augmentation, np.random.default_rng(1), 6, (16, 16), (16, 16))
    images, labels = mix(IMAGES, LABELS, changes, augmentation)
    return images.numpy(), labels.numpy()


def test_mixup_mixes_images_and_labels_in_the_same_shares():
    images, labels = mixed(mixup=1.0)
    assert np.ptp(images, axis=(1, 2, 3)).max() < 1e-5
    np.testing.assert_allclose(images[:, 0, 0, 0], labels @ np.arange(6), rtol=1e-5)
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-5)
    own = labels[np.arange(6), np.arange(6)]
    assert 0 < own.min() < own.max() < 1


def test_cutmix_pastes_a_rectangle_and_its_share_of_the_label():
    images, labels = mixed(cutmix=1.0)
    for row, (image, label) in enumerate(zip(images[..., 0], labels, strict=True)):
        assert set(np.unique(image)) <= {float(row), 5.0 - row}
        pasted = image == 5 - row
        assert label[5 - row] == pytest.approx(pasted.mean(), abs=1e-6)
        rows, columns = pasted.any(1), pasted.any(0)
        np.testing.assert_array_equal(pasted, rows[:, None] & columns)
    assert 0 < labels[0, 5] < 1


def test_with_both_each_step_takes_one():
    kinds = set()
    for step in range(20):
        changes = draw(
            replace(NO_AUGMENTATION, mixup=1.0, cutmix=1.0),
            np.random.default_rng(step),
            4,
            (16, 16),
            (16, 16),
        )
        mixes, pastes = (changes.shares < 1).any(), changes.pasted.any()
        assert mixes != pastes
        kinds.add(bool(mixes))
    assert kinds == {True, False}


def test_labels_of_the_pipeline_are_mixed(make_network):
    split = Split(np.zeros((8, SIDE, SIDE, 3), np.uint8), np.arange(8) % 3, [""] * 8)
    augmentation = replace(NO_AUGMENTATION, mixup=1.0)
    plan = BatchPlan(batch=8, seed=0, steps=1)
    network = make_network()
    learned = CrossEntropy(network.classes)
    (_, labels), *_ = training_batches(
        split, network.input, learned, plan, augmentation=augmentation
    )
    assert ((labels.numpy() > 0).sum(1) == 2).any()


def test_randaugment_draws_every_operation():
    random = np.random.default_rng(0)
    drawn = draw_operations(random, 2000, 1, 9.0, (32, 32))
    moved = (np.abs(drawn.warps - np.eye(3).reshape(9)[:8]) > 1e-9).any(1)
    coloured = (drawn.factors != 1).any(0)
    pixels = drawn.operations[:, 0] > 0
    # One round is one operation; 5, 3 and 5 of 14 are of these kinds.
    assert (moved.astype(int) + coloured + pixels).max() == 1
    for share, wanted in ((moved, 5), (coloured, 3), (pixels, 5)):
        assert share.mean() == pytest.approx(wanted / len(OPERATIONS), abs=0.03)
    assert set(drawn.operations[:, 0].astype(int)) == set(range(len(PIXEL_OPERATIONS)))


def one(name, image, magnitude=5.0):
    number = [[float(PIXEL_OPERATIONS.index(name))]]
    image = np.asarray(image, np.float32)[None]
    return apply_operations(tf.constant(image), tf.constant(number), magnitude)[0].numpy()


def test_pixel_operations_are_pillows(photo):
    """The pixels are those of Pillow's operations, up to its rounding."""
    from PIL import ImageEnhance, ImageOps

    pixels = np.asarray(photo)
    for name, image in (
        ("identity", photo),
        ("autocontrast", ImageOps.autocontrast(photo)),
        ("equalize", ImageOps.equalize(photo)),
        ("solarize", ImageOps.solarize(photo, 128)),
        ("posterize", ImageOps.posterize(photo, 6)),
        ("sharpen", ImageEnhance.Sharpness(photo).enhance(1.45)),
        ("blur", ImageEnhance.Sharpness(photo).enhance(0.55)),
    ):
        found = one(name, pixels)[1:-1, 1:-1]
        np.testing.assert_allclose(found, np.asarray(image)[1:-1, 1:-1], atol=1.5, err_msg=name)


def test_randaugment_reaches_the_pixels(make_network):
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (16, SIDE, SIDE, 3), dtype=np.uint8)
    augmentation, changes = drawn(16, randaugment=2, magnitude=9.0)
    changed = change(images, changes, augmentation, RAW).numpy()
    assert changed.min() >= 0
    assert changed.max() <= 255
    different = np.abs(changed - images).max(axis=(1, 2, 3)) > 1
    assert different.sum() >= 12


OBLONG = (46, 110), (40, 96)  # stored images, input


def test_no_augmentation_turns_every_change_off():
    assert set(asdict(NO_AUGMENTATION)) - {"magnitude", "fill"} == {
        name for name, value in asdict(NO_AUGMENTATION).items() if value == 0
    }


def test_rotations_of_oblong_images_keep_shapes():
    """Without the scale from input to stored image, a transform is a rotation about the centre."""
    rotating = replace(NO_AUGMENTATION, rotation=90.0)
    changes = draw(rotating, np.random.default_rng(4), 50, *OBLONG)
    maps = changes.transforms[:, :6].reshape(-1, 2, 3).astype(float)
    linear = maps[..., :2] * [[96 / 110], [40 / 46]]
    np.testing.assert_allclose(linear @ linear.transpose(0, 2, 1), [np.eye(2)] * 50, atol=1e-5)
    assert np.ptp(linear[:, 0, 1]) > 1
    centres = maps @ [47.5, 19.5, 1]
    np.testing.assert_allclose(centres, [[54.5, 22.5]] * 50, atol=1e-3)


def test_without_changes_oblong_images_keep_their_edges():
    changes = draw(NO_AUGMENTATION, np.random.default_rng(4), 3, *OBLONG)
    maps = changes.transforms[:, :6].reshape(-1, 2, 3).astype(float)
    np.testing.assert_allclose((maps @ [-0.5, -0.5, 1] + 0.5) * [96 / 110, 40 / 46], 0, atol=0.1)
    np.testing.assert_allclose(maps @ [47.5, 19.5, 1], [[54.5, 22.5]] * 3, atol=1e-4)
    left, right = maps @ [-0.5, 19.5, 1], maps @ [95.5, 19.5, 1]
    np.testing.assert_allclose(right - left, [[110, 0]] * 3, atol=1e-4)
    top, bottom = maps @ [47.5, -0.5, 1], maps @ [47.5, 39.5, 1]
    np.testing.assert_allclose(bottom - top, [[0, 46]] * 3, atol=1e-4)


def test_random_crops_of_oblong_images_lie_inside():
    changes = draw(replace(NO_AUGMENTATION, crop=0.2), np.random.default_rng(4), 200, *OBLONG)
    places = np.array([[-0.5, -0.5, 1], [95.5, 39.5, 1]]).T
    edges = (changes.transforms[:, :6].reshape(-1, 2, 3) @ places).transpose(0, 2, 1) + 0.5
    assert edges.min() >= -1e-3
    assert (edges <= np.array([110, 46]) + 1e-3).all()
    width, height = (edges[:, 1] - edges[:, 0]).T
    assert (width * height / (110 * 46)).min() >= 0.2 - 1e-3
    assert np.ptp(edges[:, 0], axis=0).min() > 8


@pytest.mark.parametrize("strength", [{"erase": 1.0}, {"cutmix": 1.0}])
def test_rectangles_of_oblong_images_lie_inside(strength):
    changes = draw(replace(NO_AUGMENTATION, **strength), np.random.default_rng(4), 200, *OBLONG)
    rectangles = changes.erased if "erase" in strength else changes.pasted
    assert rectangles.min() >= 0
    assert (rectangles <= np.array([96, 40, 96, 40])).all()
    assert rectangles[:, 2].max() > 60
    assert rectangles[:, 3].max() > 30


def test_every_change_of_oblong_images():
    strong = replace(Augmentation(), crop=0.2, erase=1.0, flip=0.5, randaugment=2, cutmix=1.0)
    random = np.random.default_rng(4)
    changes = draw(strong, random, 6, *OBLONG)
    images = random.integers(0, 256, (6, *OBLONG[0], 3), dtype=np.uint8)
    changed = change(images, changes, strong, InputSpec(OBLONG[1]))
    mixed_images, labels = mix(changed, LABELS, changes, strong)
    assert mixed_images.shape == (6, 40, 96, 3)
    assert np.isfinite(mixed_images.numpy()).all()
    np.testing.assert_allclose(labels.numpy().sum(1), 1, rtol=1e-5)


def test_randaugment_shifts_each_axis_by_its_own_side():
    warps = draw_operations(np.random.default_rng(0), 2000, 1, 10.0, (40, 96)).warps
    shifted = warps[(warps[:, [0, 1, 3, 4]] == [1, 0, 0, 1]).all(1)]
    np.testing.assert_allclose(
        np.abs(shifted[:, [2, 5]]).max(axis=0), np.array([96, 40]) * 150 / 331
    )


@pytest.mark.parametrize(("fill", "outside"), [("reflect", 1.0), ("mean", 0.0)])
def test_outside_the_image_lies_the_fill(fill, outside):
    augmentation = replace(NO_AUGMENTATION, fill=fill)
    changes = draw(augmentation, np.random.default_rng(0), 1, (16, 16), (16, 16))
    changes.transforms[:] = [[2, 0, -7.5, 0, 2, -7.5, 0, 0]]  # half as large
    white = tf.fill((1, 16, 16, 3), tf.constant(255, tf.uint8))
    spec = InputSpec(16, mean=128, std=127)
    pixels = change(white, changes, augmentation, spec).numpy()[0]
    assert pixels[5:11, 5:11] == pytest.approx(1.0, abs=1e-6)
    assert pixels[:3] == pytest.approx(outside, abs=1e-6)
