"""Batches of P classes x K pictures."""

import numpy as np
import pytest

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.draw import Augmentation
from mobilenet_tf.datasets.batch_plan import BatchPlan
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.pipeline import training_batches
from mobilenet_tf.tasks.class_batches import class_batches, in_turn
from mobilenet_tf.tasks.embedding.triplets import Triplets

LABELS = np.repeat([0, 1, 2, 5, 7], [40, 10, 3, 25, 30])


@pytest.mark.parametrize(
    ("batch", "pictures", "counts"),
    [(16, 4, [4, 4, 4, 4]), (32, 4, [6, 6, 6, 7, 7]), (10, 4, [5, 5]), (3, 4, [3])],
)
def test_batches(batch, pictures, counts):
    order = class_batches(LABELS, batch, pictures, np.random.default_rng(0))
    assert len(order) == -(-len(LABELS) // batch) * batch
    for part in order.reshape(-1, batch):
        assert sorted(np.unique(LABELS[part], return_counts=True)[1]) == counts


def test_a_class_repeats_no_picture_before_all_were_used():
    order = class_batches(LABELS, 20, 4, np.random.default_rng(1))
    drawn = order[LABELS[order] == 0]
    assert len(np.unique(drawn[:40])) == min(40, len(drawn))
    few = order[LABELS[order] == 2]
    assert len(few) > 3
    assert all(len(set(few[start : start + 3])) == 3 for start in range(0, len(few) - 2, 3))


def test_every_class_is_as_likely():
    order = class_batches(np.repeat([0, 1], [1000, 10]), 2, 2, np.random.default_rng(2))
    assert (order < 1000).mean() == pytest.approx(0.5, abs=0.1)


def test_in_turn():
    order = in_turn(np.array([0, 0, 0, 0, 0, 1, 1, 1, 2]), 2)
    assert order.tolist() == [0, 1, 5, 6, 8, 2, 3, 7, 4]


def test_a_killed_run_gets_the_batches_that_it_would_have_got():
    images = np.random.default_rng(0).integers(0, 256, (len(LABELS), 9, 9, 3), np.uint8)
    split = Split(images, LABELS, [str(index) for index in range(len(LABELS))])

    def batches(start):
        plan = BatchPlan(batch=16, seed=3, steps=12, start_step=start)  # 7 steps are one pass
        return list(
            training_batches(
                split,
                InputSpec(8),
                Triplets(8, 4, 0.2),
                plan,
                augmentation=Augmentation(rotation=10.0),
            ).as_numpy_iterator()
        )

    whole, rest = batches(0), batches(5)
    assert len(rest) == 7
    for (one, targets), (other, same) in zip(whole[5:], rest, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(targets, same)
        assert sorted(targets.sum(axis=0)) == [0, 0, 0, 0, 4, 4, 4, 4]
