"""Training images that are kept aside."""

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
