"""Training images that are set aside."""

import numpy as np

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.set_aside import set_aside


def test_images_in_memory_are_balanced_and_neither_lost_nor_shared():
    labels = np.repeat([0, 1, 2], (40, 40, 20))
    names = [f"{index}.png" for index in range(100)]
    images = np.arange(100, dtype=np.uint8)[:, None, None, None]
    split = Split(images, labels, names)
    rest, held = set_aside(split, 0.15, 3, InputSpec(32))
    assert list(np.bincount(held.labels)) == [5, 5, 5]
    assert sorted([*rest.names, *held.names]) == sorted(names)
    for part in (rest, held):
        numbers = part.images[:, 0, 0, 0]
        assert part.names == [f"{number}.png" for number in numbers]
        np.testing.assert_array_equal(part.labels, labels[numbers])
    again = set_aside(split, 0.15, 3, InputSpec(32))[1]
    other = set_aside(split, 0.15, 4, InputSpec(32))[1]
    assert again.names == held.names != other.names


def test_some_images_are_left_to_train_on():
    split = Split(np.zeros((4, 1, 1, 1), np.uint8), np.array([0, 0, 1, 1]), list("abcd"))
    rest, held = set_aside(split, 0.99, 0, InputSpec(32))
    assert (len(rest), len(held)) == (1, 3)
