"""Temperature and threshold of scores: what is chosen, and what it changes."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.proof.opening import model_input, task_of
from mobilenet_tf.deployment.proof.separation import separation
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.tasks.classification.confidence import (
    NONE,
    auroc,
    best_temperature,
    rejection_threshold,
    tempered,
)
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.tasks.multilabel.task import MultiLabel
from mobilenet_tf.tasks.registry import DEFAULT, metadata_of, task_from_dict
from mobilenet_tf.tasks.scores import calibration_error
from tests.sources import ROOT

RUN = Path(__file__).parents[2] / "runs/fixtures/run_v1"


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def drawn():
    """Logits whose softmax is the probability of each label, and labels drawn from it."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 6))
    labels = np.array([random.choice(6, p=p / p.sum()) for p in softmax(logits).astype(float)])
    return logits, labels


@pytest.mark.parametrize("wrong", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("levels", [None, 256])
def test_a_wrong_temperature_is_found(drawn, wrong, levels):
    """Also from the scores of an int8 file, which are multiples of 1/256."""
    logits, labels = drawn
    scores = softmax(logits / wrong)
    if levels:
        scores = np.float32(np.minimum(np.round(scores * levels), levels - 1) / levels)
    found = best_temperature(scores[::2], labels[::2])
    assert found == pytest.approx(1 / wrong, rel=0.12)
    after = calibration_error(tempered(scores[1::2], found), labels[1::2])
    assert after < 0.03
    if wrong != 1:
        assert calibration_error(scores[1::2], labels[1::2]) > 2 * after


def test_right_predictions_alone_do_not_make_scores_certain():
    scores = np.full((300, 2), [0.9, 0.1], np.float32)
    found = best_temperature(scores, np.zeros(300, np.int64))
    assert tempered(scores, found)[0, 0] == pytest.approx(1 - 1 / 300, abs=2e-3)


def test_temperatures():
    scores = np.float32([[0.5, 0.25, 0.25, 0], [0, 0, 0, 0]])
    assert tempered(scores, 1) is scores
    assert tempered(scores, 0.5)[0] == pytest.approx([2 / 3, 1 / 6, 1 / 6, 0])
    assert tempered(scores, 0.5)[1].tolist() == [0, 0, 0, 0]


def test_thresholds():
    right = np.linspace(0.5, 1, 101)
    assert (right >= rejection_threshold(right, None)).mean() == pytest.approx(0.95, abs=0.011)
    assert 0.7 < rejection_threshold(right[50:], np.linspace(0.1, 0.7, 61)) <= 0.75
    assert rejection_threshold(np.zeros(30), None) == 0


def test_auroc():
    assert auroc(np.array([3, 2]), np.array([1, 0])) == 1
    assert auroc(np.array([1, 1]), np.array([1, 1])) == 0.5
    assert auroc(np.array([0, 2]), np.array([1, 3])) == 0.25


def test_what_is_settled_travels_in_the_metadata(drawn):
    logits, labels = drawn
    scores = softmax(logits / 2)
    given = Classification(pairs=True, other="somewhere")
    settled = given.settled(scores, labels)
    assert settled.temperature < 1
    assert 0 < settled.threshold < 1
    stated = metadata_of(settled)["task"]
    assert "other" not in stated
    file = task_from_dict(stated, "a.tflite")
    (shown,) = file.answers(scores[:1], list("abcdef"), 2, "it", ())["predictions"]
    assert shown["accepted"] == bool(file.scores(scores[:1]).max() >= settled.threshold)
    rejected = {"probabilities": True, "predictions": [{"image": "i", **shown, "accepted": False}]}
    assert file.answer_rows(rejected)[1][0] == ("i", "none of these", "")
    (plain,) = DEFAULT.answers(logits[:1], list("abcdef"), 2, "it", ())["predictions"]
    assert plain["accepted"] is True


def test_nothing_is_settled_without_right_predictions_or_probabilities(drawn):
    logits, labels = drawn
    assert Classification().settled(softmax(logits)[:15], labels[:15]) == DEFAULT
    assert Classification().settled(logits.astype(np.float32), labels) == DEFAULT


def test_metrics_before_and_after(drawn):
    logits, labels = drawn
    scores = softmax(logits / 2)
    plain = DEFAULT.metrics(scores, labels, list("abcdef"))
    found = DEFAULT.settled(scores, labels).metrics(scores, labels, list("abcdef"))
    assert (plain["tables"], plain["charts"]) == ([], [])
    assert (found["accuracy"], found["confusion"]) == (plain["accuracy"], plain["confusion"])
    calibration, coverage = found["tables"]
    assert calibration["rows"][0][1:3] == (plain["calibration_error"], found["calibration_error"])
    accuracies = [row[3] for row in coverage["rows"][1:]]
    assert accuracies == sorted(accuracies)
    assert coverage["rows"][1][2:] == (1.0, found["accuracy"])


def test_only_classifiers_reject():
    with pytest.raises(UserError, match="The task multilabel rejects no images"):
        MultiLabel().with_other_images("somewhere")


def test_pictures_of_something_else_move_the_threshold(drawn):
    logits, labels = drawn
    outputs = softmax(logits)
    other = softmax(np.random.default_rng(1).normal(0, 0.5, (500, 6)))
    plain, informed = DEFAULT.settled(outputs, labels), DEFAULT.settled(outputs, labels, other)
    assert informed.temperature == plain.temperature
    accepted = [one.separation(outputs, other, "it") for one in (plain, informed)]
    assert informed.threshold > plain.threshold
    assert accepted[1]["accepted"] < accepted[0]["accepted"]
    assert accepted[0]["images"] == 500
    assert accepted[0]["auroc"] == accepted[1]["auroc"] > 0.8


def test_a_file_says_how_well_it_tells_others_apart(tmp_path):
    model = TFLiteModel(RUN / "model_int8.tflite")
    spec = model_input(model)
    random = np.random.default_rng(0)
    own, other = (random.integers(0, 256, (12, *spec.shape), np.uint8) for _ in range(2))
    for number, pixels in enumerate(other):
        Image.fromarray(pixels.squeeze()).save(tmp_path / f"{number:02}.png")
    found = separation(model, own, str(tmp_path))
    scores = [task_of(model).scores(model.real(model.run(one))).max(axis=1) for one in (own, other)]
    assert (found["folder"], found["images"]) == (str(tmp_path), 12)
    assert found["auroc"] == pytest.approx(auroc(*scores))
    assert found["accepted"] == np.mean(scores[1] >= task_of(model).threshold)


@pytest.mark.parametrize(
    "path",
    [
        "android_demo/app/src/main/res/values/strings.xml",
        "export/devices/web/page/tasks.js",
        "export/devices/firmware/decodings/classes/example/show.c",
    ],
)
def test_a_rejected_image_is_called_the_same_everywhere(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    (said,) = re.findall(rf"[\">]({NONE})[.:<]", text, re.I)
    assert said in (NONE, NONE.capitalize())
