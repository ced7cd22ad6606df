"""Segmentation as a task: head, metrics, worst pictures, decisions, and answers in the picture."""

import numpy as np
import pytest
import tomli_w
from pycocotools import mask as coco

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import parse_toml
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.registry import make_task, task_from_dict
from mobilenet_tf.tasks.segmentation.masks import predicted
from mobilenet_tf.tasks.segmentation.task import Segmentation

TASK = Segmentation()
CLASSES = ("ground", "cat", "dog")
RANDOM = np.random.default_rng(0)


def some(count=5):
    """Return logits at stride 4 of a 32x32 input, and masks that are mostly what they say."""
    logits = RANDOM.normal(size=(count, 8, 8, 3)).astype(np.float32)
    truth = predicted(logits, (32, 32))
    for index in range(count):
        truth[index, : 4 * index] = 255 if index == 1 else 0
    return logits, truth


def test_settings_return_from_files_and_the_command_line():
    made = make_task("segmentation", ["low_stride=4", "features=128", "lite=true"])
    assert made == TASK
    values = parse_toml(tomli_w.dumps({"task": made.to_dict()}), "a")["task"]
    assert task_from_dict(values, "a") == TASK


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("output_stride=12", "output_stride is 12; it must be one of 8, 16, 32"),
        ("low_stride=3", "low_stride is 3; it must be one of 2, 4, 8, 16"),
        ("features=0", "features is 0"),
        ("low_stride=true", "low_stride"),
    ],
)
def test_settings_are_checked(option, message):
    with pytest.raises(UserError, match=message):
        make_task("segmentation", [option])


def test_the_head_is_put_on_once():
    network = TASK.with_head(make_network("v2", 0.35, 64), 3)
    graph = lower(network)
    assert (graph.output.shape, graph.strides[graph.output.name]) == ((16, 16, 3), 4)
    assert TASK.with_head(network, 3) == network
    assert TASK.with_head(network, 5) == network.with_classes(5)
    heavy = Segmentation(lite=False).with_head(make_network("v2", 0.35, 64), 3)
    assert lower(heavy).output.shape == (4, 4, 3)


def test_metrics_are_of_all_pixels():
    logits, truth = some()
    measured = TASK.metrics(logits, truth, CLASSES)
    assert measured["images"] == 5
    found = predicted(logits, (32, 32))
    known = truth != 255
    assert measured["pixel_accuracy"] == pytest.approx((found == truth)[known].mean())
    assert 0 < measured["miou"] < 1
    assert set(TASK.shares) < set(measured)
    assert set(TASK.details) < set(measured)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (np.zeros((2, 8, 8, 4)), "outputs of 8x8x4; a segmenter of 3 classes"),
        (np.zeros((2, 3)), "outputs of 3; a segmenter"),
        (np.full((2, 8, 8, 3), np.nan), "not numbers"),
    ],
)
def test_other_outputs_are_refused(outputs, message):
    with pytest.raises(UserError, match=message):
        TASK.metrics(outputs, np.zeros((2, 32, 32), np.uint8), CLASSES)


def test_the_worst_pictures_come_with_a_legend():
    logits, truth = some()
    names = [f"{index}.png" for index in range(5)]
    split = Split(RANDOM.integers(0, 256, (5, 32, 32, 1), dtype=np.uint8), truth, names)
    worst = TASK.worst(split, CLASSES, logits)
    assert worst.rows[0]["note"] == "ground, cat, dog"
    # The more of the truth differs, the worse; what agrees wherever it is known is not shown.
    assert [one["file"] for one in worst.rows[1:]] == ["4.png", "3.png", "2.png"]
    assert {one["picture"] for one in worst.rows} == set(worst.pictures)
    assert worst.pictures["worst/01.png"].shape == (32, 3 * 32 + 8, 3)


def test_decisions_are_those_of_the_grid():
    logits = np.array([[[[1.0, 3.0, 2.0], [5.0, 5.0, 0.0]]]])
    found = TASK.decisions(logits, (0.5,))
    assert found.chosen.tolist() == [[1, 0]]
    assert found.lead.tolist() == [[2.0, 0.0]]


def test_answers_are_masks_in_the_picture():
    logits, _ = some(1)
    framing = InputSpec(32).framing((60, 40))
    answer = TASK.answers(logits, CLASSES, 2, "a", [framing])
    (one,) = answer["predictions"]
    assert one["size"] == [40, 60]
    assert len(one["classes"]) == 2
    mask = predicted(logits, (32, 32))[0]
    total = 0
    for given in one["classes"]:
        runs = coco.frPyObjects({"size": one["size"], "counts": given["counts"]}, 40, 60)
        inside = coco.decode(runs)
        assert not inside[:, :10].any()  # which the square input does not show
        assert given["share"] == pytest.approx(inside.sum() / 1600, abs=1e-4)
        label = CLASSES.index(given["label"])
        assert given["share"] == pytest.approx((mask == label).mean(), abs=0.03)
        total += inside.sum()
    assert total < 1600
    one["image"] = "a.png"
    columns, rows = TASK.answer_rows(answer)
    assert len(columns) == len(rows[0]) == 3


def test_files_have_the_colours_of_masks():
    network = TASK.with_head(make_network("v2", 0.35, 64), 3)
    assert TASK.constants(network, CLASSES) == {"colours": ["#000000", "#800000", "#008000"]}
