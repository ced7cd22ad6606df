"""Metrics against counts by hand and scikit-learn's; decisions, and how far they agree."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, top_k_accuracy_score

from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.tasks.agreement import agreement, clear_agreement
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.tasks.scores import calibration_error

TASK = Classification()
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
    found = TASK.metrics(scores, labels, CLASSES)
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
    assert TASK.metrics(scores[:, :5], labels % 5, CLASSES[:5])["top5"] is None


def test_calibration_error_by_hand():
    # Bins of 1/15: two answers of .95, one right: |.5 - .95|; two of .62, both right: |1 - .62|.
    scores = np.array([[0.95, 0.05], [0.05, 0.95], [0.62, 0.38], [0.38, 0.62]])
    labels = np.array([0, 0, 0, 1])
    assert calibration_error(scores, labels) == pytest.approx((2 * 0.45 + 2 * 0.38) / 4)
    assert calibration_error(np.eye(2), np.array([0, 1])) == 0
    assert calibration_error(np.array([[3.0, -1.0]]), np.array([0])) is None


def test_sections_of_a_result(guesses):
    scores, labels = guesses
    one = TASK.metrics(scores, labels, CLASSES)
    found = TASK.sections({"float": TASK.metrics(np.log(scores), labels, CLASSES), "int8": one})
    assert found["accuracy"] == {"float": one["accuracy"], "int8": one["accuracy"]}
    assert found["calibration_error"] == {"float": None, "int8": one["calibration_error"]}
    assert found["confusion"] == one["confusion"]


def test_decisions():
    scores = np.array([[100, 0, 40], [2, 2, -7], [-128, 127, 0]], np.int8)
    found = TASK.decisions(scores, [1])
    assert found.chosen.tolist() == [[0], [0], [1]]
    assert found.lead.tolist() == [[60], [0], [127]]
    # A lead may be 255 and more than an int8 holds; one score alone leads over nothing.
    assert TASK.decisions(np.array([[-128, 127]], np.int8), [1]).lead == 255
    assert TASK.decisions(np.array([[3]], np.int8), [1]).lead == np.inf
    # Of real outputs the lead is counted in steps.
    assert TASK.decisions(np.array([[0.5, 0.25]]), [1 / 256]).lead == 64


def test_agreement_counts_equal_choices_and_the_ties_of_the_file():
    network = TASK.decisions(np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]]), [1])
    file = TASK.decisions(np.array([[9, 1], [5, 5], [7, 3]]), [1])
    assert agreement(network, file) == {"top1_agreement": 2 / 3, "ties": 1}
    # A lead of 2 LSB may change sides between runtimes, one of 3 may not.
    other = TASK.decisions(np.array([[1, 9], [9, 1], [3, 7]]), [1])
    assert clear_agreement(TASK.decisions(np.array([[3, 0], [2, 0], [0, 9]]), [1]), other) == {
        "sure": 2,
        "sure_top1_agreement": 0.5,
    }
    ties = TASK.decisions(np.zeros((2, 3), int), [1])
    assert clear_agreement(ties, ties) == {"sure": 0, "sure_top1_agreement": 1.0}


def test_the_worst_are_the_surest_mistakes():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    images = np.arange(4, dtype=np.uint8)[:, None, None, None]
    test = Split(images, np.array([0, 0, 0, 1]), ["a.png", "b.png", "c.png", "d.png"])
    found = TASK.worst(test, ("cat", "dog"), scores)
    assert [(row["file"], row["predicted"], row["score"]) for row in found.rows] == [
        ("b.png", "dog", 0.8),
        ("c.png", "dog", 0.6),
    ]
    assert found.pictures[found.rows[0]["picture"]].item() == 1
