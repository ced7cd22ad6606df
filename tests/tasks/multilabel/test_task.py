"""Metrics, thresholds, decisions and answers of several labels per picture."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.runs.task_sections import Chart, Table
from mobilenet_tf.tasks.agreement import agreement
from mobilenet_tf.tasks.multilabel.scores import best_threshold, logit, sigmoid
from mobilenet_tf.tasks.multilabel.task import MultiLabel
from mobilenet_tf.tasks.registry import task_from_dict

CLASSES = ("red hat", "glasses", "beard", "never", "always")


@pytest.fixture(scope="module")
def guesses():
    """Logits and labels of 300 pictures, with ties, a label that none has and one that all have."""
    random = np.random.default_rng(5)
    labels = (random.random((300, 5)) < (0.5, 0.1, 0.3, 0, 1)).astype(np.uint8)
    logits = np.round(2 * labels - 1 + random.normal(0, 1.5, labels.shape), 1)
    return logits.astype(np.float32), labels


@pytest.mark.parametrize("thresholds", [(), (0.3, 0.6, 0.5, 0.9, 0.2)])
def test_metrics_are_those_of_scikit_learn(guesses, thresholds):
    logits, labels = guesses
    found = MultiLabel(thresholds).metrics(logits, labels, CLASSES)
    predicted = (sigmoid(logits) >= (thresholds or 0.5)).astype(int)
    known = [0, 1, 2, 4]  # no average precision without a picture of the label
    assert found["map"] == pytest.approx(
        average_precision_score(labels[:, known], logits[:, known], average="macro")
    )
    undefined = {"zero_division": np.nan}
    assert found["f1_macro"] == pytest.approx(
        f1_score(labels, predicted, average="macro", **undefined)
    )
    assert found["f1_micro"] == pytest.approx(f1_score(labels, predicted, average="micro"))
    assert found["exact"] == (predicted == labels).all(axis=1).mean()
    measures = {"precision": precision_score, "recall": recall_score, "F1": f1_score}
    (table,) = found["tables"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    for index, values in enumerate(rows):
        assert values["label"] == CLASSES[index]
        assert values["images"] == labels[:, index].sum()
        for key, measure in measures.items():
            expected = measure(labels[:, index], predicted[:, index], **undefined)
            assert (np.nan if values[key] is None else values[key]) == pytest.approx(
                expected, nan_ok=True
            )
    assert rows[CLASSES.index("never")]["average precision"] is None
    assert rows[CLASSES.index("always")]["average precision"] == pytest.approx(1)
    (chart,) = found["charts"]
    assert chart["lines"].keys() == set(CLASSES) - {"never"}
    assert from_plain(Table, table, "table", strict=True).title == "Labels"
    assert from_plain(Chart, chart, "chart", strict=True).x == "recall"


def test_no_threshold_has_a_higher_f1_than_the_chosen_one(guesses):
    logits, labels = guesses
    for scores, truth in zip(sigmoid(logits).T[:3], labels.T[:3], strict=True):
        precision, recall, _ = precision_recall_curve(truth, scores)
        highest = np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-9))
        chosen = best_threshold(scores, truth == 1)
        assert f1_score(truth, scores >= chosen) == pytest.approx(highest)
        assert chosen not in scores  # but halfway between two


def test_thresholds_where_validation_says_nothing_or_everything():
    scores = np.array([0.2, 0.9, 0.4])
    assert best_threshold(scores, np.zeros(3, bool)) == 0.5
    assert best_threshold(scores, np.ones(3, bool)) == pytest.approx(0.1)
    assert 0 < best_threshold(np.zeros(3), np.ones(3, bool)) < 1e-3


def test_thresholds_are_chosen_on_validation_images_and_stored_with_the_task(guesses):
    logits, labels = guesses
    task = MultiLabel().settled(logits, labels)
    assert len(task.thresholds) == len(CLASSES)
    assert task_from_dict(task.to_dict(), "a.tflite") == task
    settled, plain = (one.metrics(logits, labels, CLASSES) for one in (task, MultiLabel()))
    assert settled["f1_macro"] > plain["f1_macro"]
    assert settled["map"] == plain["map"]
    assert task.settled(-logits, labels) is task  # given thresholds stay


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ([0.5, 1.0], "task: thresholds has 1.0; each must be between 0 and 1"),
        ([0.0], "task: thresholds has 0.0; each must be"),
        ([-1e300], "each must be between 0 and 1"),
        ([float("nan")], r"thresholds\[0\] is nan; it must be a number"),
        (["0.5"], r"thresholds\[0\] is '0.5'; it must be a number"),
        (0.5, "thresholds is 0.5; it must be a list"),
    ],
)
def test_thresholds_of_a_file_are_checked(thresholds, message):
    with pytest.raises(UserError, match=message):
        task_from_dict({"name": "multilabel", "thresholds": thresholds}, "a.tflite")


def test_thresholds_must_be_as_many_as_labels(guesses):
    logits, labels = guesses
    message = "thresholds has 2 values for 5 labels; one for each"
    for use in (
        lambda task: task.metrics(logits, labels, CLASSES),
        lambda task: task.answers(logits, CLASSES, 3, "a.tflite", []),
        lambda task: task.decisions(logits, (0.1,)),
    ):
        with pytest.raises(UserError, match=message):
            use(MultiLabel((0.5, 0.5)))


def test_answers_are_the_labels_over_their_thresholds():
    task = MultiLabel((0.5, 0.9, 0.5))
    logits = np.array([[0.1, 2.0, 3.0], [-1, 2.0, -1], [3, 2.3, 2]], np.float32)
    answers = task.answers(logits, ("a", "b", "c"), 2, "a.tflite", [])
    found = answers["predictions"]
    assert [[one["label"] for one in row["classes"]] for row in found] == [
        ["c", "a"],
        [],
        ["a", "b"],
    ]
    assert found[0]["classes"][0]["score"] == round(float(sigmoid(3.0)), 4)
    named = [{"image": name, **one} for name, one in zip("xyz", found, strict=True)]
    assert task.answer_rows({"predictions": named})[1] == [
        ("x", "c", "95.26%"),
        ("", "a", "52.50%"),
        ("y", "none", ""),
        ("z", "a", "95.26%"),
        ("", "b", "90.89%"),
    ]
    with pytest.raises(UserError, match="scores that are not numbers"):
        task.answers(logits * np.nan, ("a", "b", "c"), 2, "a.tflite", [])


def test_decisions_are_one_per_label():
    task = MultiLabel((0.5, float(sigmoid(1.0))))
    logits = np.array([[0.0, 1.5], [-2.0, 0.5]], np.float32)
    found = task.decisions(logits, (0.25,))
    assert found.chosen.tolist() == [[1, 1], [0, 0]]
    np.testing.assert_allclose(found.lead, [[0, 2], [8, 2]], atol=1e-12)
    other = task.decisions(np.array([[0.0, 0.9], [-2.0, 0.5]], np.float32), (0.25,))
    assert agreement(found, other) == {"top1_agreement": 0.75, "ties": 1}


def test_the_worst_are_the_surest_wrong_labels():
    images = np.arange(3, dtype=np.uint8)[:, None, None, None]
    labels = np.array([[1, 0], [1, 1], [0, 0]], np.uint8)
    test = Split(images, labels, ["a.png", "b.png", "c.png"])
    logits = np.array([[1, -1], [-2, 1], [0.5, 4]], np.float32)
    found = MultiLabel().worst(test, ("cat", "dog"), logits)
    assert [(row["file"], row["note"]) for row in found.rows] == [
        ("c.png", "none; predicted cat, dog (dog: 98.2%)"),
        ("b.png", "cat, dog; predicted dog (cat: 11.9%)"),
    ]
    assert found.pictures[found.rows[0]["picture"]].item() == 2


def test_sigmoid_and_logit_are_inverse():
    values = np.array([-30.0, -1.0, 0.0, 12.0])
    np.testing.assert_allclose(logit(sigmoid(values)), values, rtol=1e-3)
    assert sigmoid(np.array([-1e9, 1e9])).tolist() == [0, 1]
