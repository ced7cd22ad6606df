"""What a detector learns: boxes move with their pictures, anchors are matched, losses by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.apply import change
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, draw
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.detection.anchors import anchor_boxes, paper_sizes
from mobilenet_tf.tasks.detection.boxes import from_offsets, overlaps
from mobilenet_tf.tasks.detection.objective import BACKGROUND, NEUTRAL, BoxFocal, move

ANCHORS = anchor_boxes([(8, 8), (4, 4), (2, 2)], paper_sizes(3))
OBJECTIVE = BoxFocal(classes=3, anchors=ANCHORS)


def labels(*rows: tuple, most: int = 5) -> np.ndarray:
    """Return the labels of one picture."""
    made = np.full((1, most, 6), -1, np.float32)
    made[0, : len(rows)] = rows or np.zeros((0, 6))
    return made


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(zoom=0.4, aspect=0.3, rotation=0.0, shift=0.2, flip=0.5, fill="mean"),
        Augmentation(zoom=0.0, aspect=0.0, rotation=90.0, shift=0.1, fill="mean"),
        Augmentation(crop=0.4, flip=1.0, rotation=0.0, fill="mean"),
    ],
)
def test_boxes_stay_on_what_they_enclose(augmentation):
    """A white rectangle on black is found again where its box has moved to."""
    count, stored, spec = 16, (130, 115), InputSpec((96, 120), mean=0.0)
    random = np.random.default_rng(2)
    boxes = np.empty((count, 1, 4), np.float32)
    pictures = np.zeros((count, *stored, 3), np.uint8)
    for index in range(count):
        left, top = random.integers(10, 50, 2)
        width, height = random.integers(20, 50, 2)
        pictures[index, top : top + height, left : left + width] = 255
        boxes[index, 0] = left, top, left + width, top + height
    boxes /= np.float32([stored[1], stored[0]] * 2)
    changes = draw(augmentation, random, count, stored, (96, 120))
    changed = change(tf.constant(pictures), changes, augmentation, spec).numpy()[..., 0]
    moved, visible = move(tf.constant(boxes), Moves(changes.transforms, stored, (96, 120)))
    turned = augmentation.rotation > 0
    for picture, edges, share in zip(
        changed, moved.numpy()[:, 0], visible.numpy()[:, 0], strict=True
    ):
        y, x = np.nonzero(picture > picture.max() / 2)
        if share < 0.2:
            continue
        expected = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
        found = edges * [120, 96, 120, 96]
        assert found == pytest.approx(expected, abs=1.5 if not turned else 3.0)


def test_a_box_that_leaves_the_picture_is_cut():
    # From input to stored picture: shifted by half of its width.
    transforms = np.float32([[1, 0, 50, 0, 1, 0, 0, 0]])
    moved, visible = move(
        tf.constant([[[0.4, 0.2, 0.8, 0.6], [0.0, 0.0, 0.4, 0.4]]]),
        Moves(transforms, (100, 100), (100, 100)),
    )
    assert moved.numpy()[0, 0] == pytest.approx([0, 0.2, 0.3, 0.6], abs=1e-6)
    assert visible.numpy()[0] == pytest.approx([0.75, 0], abs=1e-6)
    objective = BoxFocal(3, ANCHORS)
    hidden = labels((0.4, 0.2, 0.55, 0.6, 1, 0))  # a third of it remains
    targets = objective.targets(tf.constant(hidden), Moves(transforms, (100, 100), (100, 100)))
    assert not (targets.numpy()[..., 4] >= 0).any()


def test_anchors_learn_the_box_they_overlap():
    box, other = (0.1, 0.1, 0.5, 0.5, 2, 0), (0.52, 0.5, 0.6, 0.56, 0, 0)
    (targets,) = OBJECTIVE.targets(tf.constant(labels(box, other)), None).numpy()
    overlap = overlaps(ANCHORS, np.float32([box[:4], other[:4]]))
    taught = targets[:, 4]
    matched = taught >= 0
    assert set(taught[matched]) == {0, 2}
    assert (taught[(overlap[:, 0] >= 0.5) & (overlap[:, 1] < overlap[:, 0])] == 2).all()
    assert (taught[overlap.max(axis=1) < 0.4] <= 0).all()
    # The small box has one anchor, its closest, although they overlap little.
    assert overlap[:, 1].max() < 0.5
    assert np.flatnonzero(taught == 0).tolist() == [overlap[:, 1].argmax()]
    between = (overlap.max(axis=1) >= 0.4) & (overlap.max(axis=1) < 0.5) & ~matched
    assert (taught[between] == NEUTRAL).all()
    assert (taught[~matched & ~between] == BACKGROUND).all()
    # What they learn are the boxes.
    decoded = from_offsets(targets[matched, :4], ANCHORS[matched])
    wanted = np.where(taught[matched, None] == 2, np.float32(box[:4]), np.float32(other[:4]))
    assert decoded == pytest.approx(wanted, abs=1e-5)


def test_ignored_boxes_teach_nothing():
    (targets,) = OBJECTIVE.targets(tf.constant(labels((0.1, 0.1, 0.5, 0.5, 2, 1))), None).numpy()
    overlap = overlaps(ANCHORS, np.float32([[0.1, 0.1, 0.5, 0.5]]))[:, 0]
    assert (targets[overlap >= 0.4, 4] == NEUTRAL).all()
    assert (targets[overlap < 0.4, 4] == BACKGROUND).all()


def test_a_picture_without_boxes_is_background():
    (targets,) = OBJECTIVE.targets(tf.constant(labels()), None).numpy()
    assert (targets[:, 4] == BACKGROUND).all()
    assert np.isfinite(targets).all()


@pytest.mark.parametrize("background", [False, True])
def test_losses_by_hand(background):
    objective = BoxFocal(3, ANCHORS, background)
    rows = labels((0.1, 0.1, 0.5, 0.5, 2, 0))
    targets = objective.targets(tf.constant(rows), None)
    random = np.random.default_rng(1)
    outputs = random.normal(0, 2, (1, len(ANCHORS), 4 + 3 + background)).astype(np.float32)
    loss = float(objective.loss(0.0)(targets, outputs))
    taught, offsets = targets.numpy()[0, :, 4], targets.numpy()[0, :, :4]
    total = 0.0
    for row, (label, output) in enumerate(zip(taught, outputs[0].astype(np.float64), strict=True)):
        if label == NEUTRAL:
            continue
        wanted = np.zeros(3 + background)
        if label >= 0:
            wanted[int(label) + background] = 1
            difference = np.abs(offsets[row] - output[:4])
            total += np.where(difference < 1, difference**2 / 2, difference - 0.5).sum()
        elif background:
            wanted[0] = 1
        chance = 1 / (1 + np.exp(-output[4:]))
        right = np.where(wanted == 1, chance, 1 - chance)
        total += (np.where(wanted == 1, 0.75, 0.25) * (1 - right) ** 2 * -np.log(right)).sum()
    assert loss == pytest.approx(total / (taught >= 0).sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((2, 3)), "boxes are needed"),
        (labels((0, 0, 1, 1, 3, 0)), "classes is 3, but the boxes have classes up to 3"),
    ],
)
def test_other_labels_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        OBJECTIVE.check(wrong)


def test_settings_without_meaning_are_refused():
    with pytest.raises(UserError, match=r"label_smoothing is 0\.1; it must be 0"):
        OBJECTIVE.loss(0.1)
    with pytest.raises(UserError, match="cannot be weighed"):
        OBJECTIVE.class_weights(labels())


def test_moves_are_not_needed():
    rows = tf.constant(labels((0.1, 0.1, 0.5, 0.5, 2, 0)))
    changes = draw(NO_AUGMENTATION, np.random.default_rng(0), 1, (110, 110), (96, 96))
    still = OBJECTIVE.targets(rows, Moves(changes.transforms, (110, 110), (96, 96))).numpy()
    assert still == pytest.approx(OBJECTIVE.targets(rows, None).numpy(), abs=1e-4)
