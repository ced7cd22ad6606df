"""What a segmenter learns: moved masks, the loss per pixel, and the metrics of an epoch."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.augmentation.apply import mix
from mobilenet_tf.datasets.augmentation.draw import Augmentation, Changes
from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.segmentation.masks import predicted
from mobilenet_tf.tasks.segmentation.objective import PixelCrossEntropy, dice_loss
from mobilenet_tf.tasks.segmentation.scores import confusion, mean_overlap

RANDOM = np.random.default_rng(0)
OBJECTIVE = PixelCrossEntropy(3, (16, 24))


def labels(count=4, sides=(16, 24)):
    found = RANDOM.integers(0, 3, (count, *sides)).astype(np.uint8)
    found[:, :2] = IGNORED
    return found


def transform(*values):
    return tf.constant([[*values, 0.0, 0.0]], tf.float32)


def test_masks_move_with_their_pictures():
    mask = labels(1, (20, 30))
    flipped = Moves(transform(-1, 0, 29, 0, 1, 0), (20, 30), (16, 24))
    found = OBJECTIVE.targets(tf.constant(mask), flipped).numpy()
    expected = mask[0, :16, ::-1][:, :24]
    np.testing.assert_array_equal(found[0].sum(-1), expected != IGNORED)
    known = expected != IGNORED
    np.testing.assert_array_equal(found[0].argmax(-1)[known], expected[known])


def test_what_comes_from_outside_is_ignored():
    mask = np.ones((1, 16, 24), np.uint8)
    shifted = Moves(transform(1, 0, 5, 0, 1, -3), (16, 24), (16, 24))
    known = OBJECTIVE.targets(tf.constant(mask), shifted).numpy()[0].sum(-1)
    assert known[3:, :19].all()
    assert not known[:3].any()
    assert not known[:, 19:].any()


def test_masks_that_are_stored_larger_are_resized():
    mask = np.zeros((1, 32, 48), np.uint8)
    mask[:, 16:] = 2
    found = OBJECTIVE.targets(tf.constant(mask), None).numpy()[0].argmax(-1)
    np.testing.assert_array_equal(found, np.repeat([0, 2], 8)[:, None] * np.ones((1, 24), int))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_equals_a_direct_computation(smoothing):
    truth = labels()
    logits = RANDOM.normal(size=(4, 4, 6, 3)).astype(np.float32)
    loss = OBJECTIVE.loss(smoothing)(OBJECTIVE.targets(tf.constant(truth), None), logits)
    large = tf.image.resize(logits, (16, 24)).numpy().astype(np.float64)
    logs = large - np.log(np.exp(large).sum(-1, keepdims=True))
    wanted = np.eye(3)[np.where(truth == IGNORED, 0, truth)] * (1 - smoothing) + smoothing / 3
    pixels = -(wanted * logs).sum(-1) * (truth != IGNORED)
    assert float(loss) == pytest.approx(pixels.mean(), rel=1e-5)


def test_metrics_of_an_epoch_are_those_of_the_report():
    truth = labels(6)
    logits = RANDOM.normal(size=(6, 4, 6, 3)).astype(np.float32)
    targets = OBJECTIVE.targets(tf.constant(truth), None)
    miou, accuracy = OBJECTIVE.metrics()
    for part in (slice(0, 4), slice(4, 6)):
        miou.update_state(targets[part], logits[part])
        accuracy.update_state(targets[part], logits[part])
    counts = confusion(predicted(logits, (16, 24)), truth, 3)
    assert float(miou.result()) == pytest.approx(mean_overlap(counts), abs=1e-3)
    assert float(accuracy.result()) == pytest.approx(np.trace(counts) / counts.sum(), abs=1e-3)
    miou.reset_state()
    assert float(miou.result()) == 0


def test_the_dice_loss_equals_a_direct_computation():
    masks = labels()
    masks[masks == 2] = IGNORED  # a class that does not occur
    targets = OBJECTIVE.targets(tf.constant(masks), None)
    logits = RANDOM.normal(size=targets.shape).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = []
    for label in (0, 1):
        found, truth = shares[masks != IGNORED, label], masks[masks != IGNORED] == label
        expected.append(2 * found[truth].sum() / (found.sum() + truth.sum()))
    np.testing.assert_allclose(dice_loss(targets, logits), 1 - np.mean(expected), rtol=1e-5)
    certain = 100 * targets
    np.testing.assert_allclose(dice_loss(targets, certain), 0, atol=1e-6)
    nothing = tf.zeros_like(targets)
    assert dice_loss(nothing, logits) == 1


@pytest.mark.parametrize(("objects", "warned"), [(1, True), (8, False)])
def test_it_warns_where_nearly_all_pixels_are_of_one_class(objects, warned):
    truth = np.zeros((2, 16, 24), np.uint8)
    truth[:, :objects] = 1
    truth[:, 12:] = IGNORED  # 12 rows count
    caution = OBJECTIVE.caution(truth, ("background", "cat", "dog"))
    if warned:
        assert caution.startswith("background is 92% of the pixels.")
        assert "--set train.class_weights=true" in caution
    else:
        assert caution is None


def test_it_warns_of_nothing_where_all_pixels_are_ignored():
    assert OBJECTIVE.caution(np.full((1, 16, 24), IGNORED, np.uint8), ("a", "b", "c")) is None


def test_class_weights_let_all_classes_count_the_same():
    truth = np.zeros((2, 10, 10), np.uint8)
    truth[:, :1], truth[:, 1:3], truth[:, 9] = 1, 2, IGNORED
    weights = OBJECTIVE.class_weights(truth)
    counts = np.bincount(truth[truth != IGNORED], minlength=3)
    np.testing.assert_allclose(weights * counts, counts.sum() / 3, rtol=1e-6)


def test_unknown_classes_are_rejected():
    OBJECTIVE.check(labels())
    with pytest.raises(UserError, match="classes is 3, but the masks have classes up to 3"):
        OBJECTIVE.check(np.full((1, 16, 24), 3, np.uint8))


def test_a_segmenter_learns_two_halves():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Conv2D(3, 1, input_shape=(4, 6, 1))])
    pictures = np.zeros((8, 4, 6, 1), np.float32)
    pictures[:, :, 3:] = 1
    truth = np.zeros((8, 16, 24), np.uint8)
    truth[:, :, 12:] = 2
    model.compile(keras.optimizers.Adam(0.3), OBJECTIVE.loss(0), OBJECTIVE.metrics())
    targets = OBJECTIVE.targets(tf.constant(truth), None)
    model.fit(pictures, targets, epochs=30, verbose=0)
    assert (predicted(model(pictures).numpy(), (16, 24)) == truth).mean() > 0.95


def test_mixed_pictures_have_mixed_masks():
    truth = np.stack([np.zeros((16, 24)), np.full((16, 24), 2)]).astype(np.uint8)
    targets = OBJECTIVE.targets(tf.constant(truth), None)
    nothing = np.zeros((2, 4), np.float32)
    pasted = np.array([[4, 2, 10, 8], [0, 0, 0, 0]], np.float32)
    for shares, rectangles in (((0.7, 1.0), nothing), ((1.0, 1.0), pasted)):
        changes = Changes(
            nothing, nothing, nothing, nothing, np.float32(shares)[:, None], rectangles
        )
        images = tf.cast(truth[..., None], tf.float32)
        images, mixed = mix(images, targets, changes, Augmentation(mixup=1, cutmix=1))
        # The picture shows class 2 as far as the mask says so.
        np.testing.assert_allclose(images[..., 0], 2 * mixed[..., 2], atol=1e-6)
        np.testing.assert_allclose(mixed.numpy().sum(-1), 1, atol=1e-6)
