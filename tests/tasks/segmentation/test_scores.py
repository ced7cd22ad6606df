"""mIoU and its parts, against a direct computation."""

import numpy as np
import pytest

from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.tasks.segmentation.scores import confusion, mean_overlap, scores

RANDOM = np.random.default_rng(0)
CLASSES = 5


def masks(most=CLASSES):
    truth = RANDOM.integers(0, most, (6, 20, 30)).astype(np.uint8)
    truth[RANDOM.random(truth.shape) < 0.1] = IGNORED
    found = np.where(RANDOM.random(truth.shape) < 0.6, truth, RANDOM.integers(0, most, truth.shape))
    found[found == IGNORED] = 0
    return found.astype(np.uint8), truth


@pytest.mark.parametrize("most", [CLASSES, 3])
def test_scores_equal_a_direct_computation(most):
    found, truth = masks(most)
    known = truth != IGNORED
    expected, rows = [], []
    for label in range(CLASSES):
        of, marked = (truth == label) & known, (found == label) & known
        both, union = (of & marked).sum(), (of | marked).sum()
        expected += [both / union] if union else []
        rows.append(both / union if union else None)
    measured = scores(confusion(found, truth, CLASSES), list("abcde"))
    assert measured["miou"] == pytest.approx(np.mean(expected), abs=1e-12)
    assert measured["pixel_accuracy"] == pytest.approx((found == truth)[known].mean(), abs=1e-12)
    classes, destinations = measured["tables"]
    assert [row[2] for row in classes["rows"]] == pytest.approx(rows)
    assert sum(row[-1] for row in classes["rows"]) == known.sum()
    for row in destinations["rows"][:most]:
        assert sum(row[1:]) == pytest.approx(1)


def test_keras_agrees():
    import tf_keras as keras

    found, truth = masks()
    metric = keras.metrics.MeanIoU(CLASSES)
    truth_in_range = np.where(truth == IGNORED, 0, truth)
    metric.update_state(truth_in_range, found, (truth != IGNORED).astype(float))
    counts = confusion(found, truth, CLASSES)
    assert mean_overlap(counts) == pytest.approx(float(metric.result()), abs=1e-6)


def test_nothing_known_scores_nothing():
    truth = np.full((1, 4, 4), IGNORED, np.uint8)
    measured = scores(confusion(np.zeros_like(truth), truth, 2), ["a", "b"])
    assert (measured["miou"], measured["pixel_accuracy"]) == (0, 0)
    assert measured["tables"][0]["rows"][0][2:] == [None, None, None, 0]
