"""Cross-entropy of the cells of places."""

import numpy as np
import pytest
import tensorflow as tf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy
from mobilenet_tf.tasks.geolocation.objective import CellEntropy

LABELS = np.array([[48.1, 11.5, 2], [-33.4, -70.7, 0], [48.2, 11.4, 2]])


def test_cells_are_classes():
    objective = CellEntropy(3)
    targets = objective.targets(tf.constant(LABELS), None)
    assert targets.dtype == tf.float32
    np.testing.assert_array_equal(targets, [[0, 0, 1], [1, 0, 0], [0, 0, 1]])
    expected = CrossEntropy(3).class_weights(np.array([2, 0, 2]))
    np.testing.assert_array_equal(objective.class_weights(LABELS), expected)
    objective.check(LABELS)
    with pytest.raises(UserError, match="classes is 2, but the images have labels up to 2"):
        CellEntropy(2).check(LABELS)
