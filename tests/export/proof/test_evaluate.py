"""Damaged copies of test pictures: their strengths, and what is measured on them."""

import numpy as np
import pytest

from mobilenet_tf.datasets.corruptions import CORRUPTIONS, Corrupted
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.deployment.proof.evaluate import evaluate
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.tasks.classification.task import Classification

TASK = Classification()


@pytest.mark.parametrize("kind", CORRUPTIONS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_damage_grows_and_repeats(pictures, kind, channels):
    clean = pictures[:8, :, :, :channels]
    distances = []
    for strength in kind.strengths:
        copies = Corrupted(clean, kind, strength, seed=4)
        found = copies[0:8]
        assert (found.dtype, found.shape) == (clean.dtype, clean.shape)
        # A picture's damage does not depend on which others are read with it.
        np.testing.assert_array_equal(found[5:7], copies[5:7])
        distances.append(np.abs(found.astype(int) - clean).mean())
    assert 0 < distances[0] < distances[1] < distances[2]


def test_strengths_are_what_their_units_say(pictures):
    clean = np.full((4, 64, 64, 3), 100, np.uint8)
    kinds = {kind.name: kind for kind in CORRUPTIONS}
    noisy = Corrupted(clean, kinds["noise"], 10)[0:4].astype(float)
    assert noisy.std() == pytest.approx(10, rel=0.05)
    assert noisy.mean() == pytest.approx(100, abs=0.5)
    assert (noisy[0] != noisy[1]).any()
    assert (Corrupted(clean, kinds["noise"], 10, seed=1)[0:4] != noisy).any()
    assert (Corrupted(clean, kinds["dark"], 0.5)[0:4] == 50).all()
    assert (Corrupted(clean, kinds["bright"], 1.7)[0:4] == 170).all()
    edge = np.zeros((1, 100, 100, 1), np.uint8)
    edge[:, :, 50:] = 255
    # Of an edge under a Gaussian, 68 % of the rise lie within one sigma to each side.
    row = Corrupted(edge, kinds["blur"], 0.04)[0:1][0, 50, :, 0]
    assert (row[53] - float(row[45])) / 255 == pytest.approx(0.68, abs=0.06)


def test_robustness_has_the_metrics_of_every_copy(files, pixels):
    model = TFLiteModel(files.uint8)
    split = Split(pixels, np.array([0, 1, 2, 3, 4]), list("abcde"))
    plain = evaluate(model, split, "abcde")
    found = evaluate(model, split, "abcde", robustness=True)
    copies = found.pop("robustness")
    assert found == plain
    assert len(copies) == sum(len(kind.strengths) for kind in CORRUPTIONS)
    for copy in copies:
        assert set(plain) < set(copy)
        assert np.sum(copy["confusion"]) == 5
    kind = CORRUPTIONS[2]
    again = Corrupted(pixels, kind, kind.strengths[1])
    expected = TASK.metrics(model.run(again[0:5]), split.labels, "abcde")
    damaged = [c for c in copies if (c["corruption"], c["strength"]) == (kind.name, 25)]
    assert damaged == [{"corruption": kind.name, "strength": 25, "unit": kind.unit, **expected}]
