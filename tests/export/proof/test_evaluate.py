"""Metrics against counts by hand and scikit-learn's; damage against its stated strengths."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, top_k_accuracy_score

from mobilenet_tf.datasets.corruptions import CORRUPTIONS, Corrupted
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.deployment.proof.evaluate import calibration_error, evaluate, metrics, sections
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

CLASSES = [f"class {index}" for index in range(7)]


@pytest.fixture(scope="module")
def guesses():
    """Probabilities (200, 7) that are right more often than not, and the true classes."""
    random = np.random.default_rng(2)
    labels = random.integers(0, 6, 200)  # none of the last class
    logits = random.normal(0, 1, (200, 7))
    logits[np.arange(200), labels] += 1.5
    scores = np.exp(logits)
    return scores / scores.sum(axis=1, keepdims=True), labels


def test_metrics_are_those_of_scikit_learn(guesses):
    scores, labels = guesses
    found = metrics(scores, labels, CLASSES)
    predicted = scores.argmax(axis=1)
    assert found["accuracy"] == (predicted == labels).mean()
    assert found["top5"] == top_k_accuracy_score(labels, scores, k=5, labels=range(7))
    np.testing.assert_array_equal(
        found["confusion"], confusion_matrix(labels, predicted, labels=range(7))
    )
    precision, recall, _, support = precision_recall_fscore_support(
        labels, predicted, labels=range(7), zero_division=0
    )
    for index, values in enumerate(found["per_class"].values()):
        assert values["images"] == support[index]
        assert (values["precision"] or 0) == pytest.approx(precision[index])
        assert (values["recall"] or 0) == pytest.approx(recall[index])
    # Nothing is known of a class without pictures.
    assert found["per_class"]["class 6"]["recall"] is None
    assert metrics(scores[:, :5], labels % 5, CLASSES[:5])["top5"] is None


def test_calibration_error_by_hand():
    # Bins of 1/15: two answers of .95, one right: |.5 - .95|; two of .62, both right: |1 - .62|.
    scores = np.array([[0.95, 0.05], [0.05, 0.95], [0.62, 0.38], [0.38, 0.62]])
    labels = np.array([0, 0, 0, 1])
    assert calibration_error(scores, labels) == pytest.approx((2 * 0.45 + 2 * 0.38) / 4)
    assert calibration_error(np.eye(2), np.array([0, 1])) == 0
    assert calibration_error(np.array([[3.0, -1.0]]), np.array([0])) is None


def test_sections_of_a_result(guesses):
    scores, labels = guesses
    one = metrics(scores, labels, CLASSES)
    found = sections({"float": metrics(np.log(scores), labels, CLASSES), "int8": one})
    assert found["accuracy"] == {"float": one["accuracy"], "int8": one["accuracy"]}
    assert found["calibration_error"] == {"float": None, "int8": one["calibration_error"]}
    assert found["confusion"] == one["confusion"]


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
    expected = metrics(model.run(again[0:5]), split.labels, "abcde")
    damaged = [c for c in copies if (c["corruption"], c["strength"]) == (kind.name, 25)]
    assert damaged == [{"corruption": kind.name, "strength": 25, "unit": kind.unit, **expected}]
