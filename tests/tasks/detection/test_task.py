"""The task of detection: its network, what it measures and says, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Split
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.detection.anchors import anchor_boxes
from mobilenet_tf.tasks.detection.average_precision import Truth
from mobilenet_tf.tasks.detection.decoding import Found
from mobilenet_tf.tasks.detection.errors import confusion
from mobilenet_tf.tasks.detection.task import Detection
from mobilenet_tf.tasks.registry import make_task, task_from_dict
from mobilenet_tf.training.recipe import load_recipe

CLASSES = ("cat", "dog", "cow")
MAPS = [(4, 4), (2, 2)]
LABELS = np.float32(
    [
        [[0.1, 0.1, 0.5, 0.5, 2, 0], [0.5, 0.5, 0.9, 0.9, 0, 0], [-1] * 6],
        [[0.2, 0.2, 0.6, 0.7, 1, 0], [0.6, 0.0, 1.0, 0.3, 1, 1], [-1] * 6],
        [[-1] * 6] * 3,
    ]
)


def dataset(labels: np.ndarray) -> Dataset:
    """Return a dataset of black pictures with these labels in every split."""
    split = Split(np.zeros((len(labels), 16, 16, 3), np.uint8), labels, ["a", "b", "c"])
    return Dataset("made up", CLASSES, split, split, split)


TASK = Detection(clusters=3, extras=0).fitted(dataset(LABELS))


def ideal(task: Detection, labels: np.ndarray, classes: int = 3) -> tuple[np.ndarray, ...]:
    """Return the outputs of a network that has learned these labels perfectly."""
    from mobilenet_tf.tasks.detection.objective import BoxFocal

    sizes = task.sizes(len(MAPS))
    anchors = anchor_boxes(MAPS, sizes)
    (targets) = BoxFocal(classes, anchors).targets(labels, None).numpy()
    logits = np.where(targets[..., 4:] == np.arange(classes), 4.0, -6.0)
    outputs, start = [], 0
    for (height, width), own in zip(MAPS, sizes, strict=True):
        end = start + height * width * len(own)
        for values in (targets[:, start:end, :4], logits[:, start:end]):
            outputs.append(np.float32(values).reshape(len(labels), height, width, -1))
        start = end
    return tuple(outputs)


@pytest.fixture(scope="module")
def outputs() -> tuple[np.ndarray, ...]:
    """What a perfect network says about `LABELS`."""
    return ideal(TASK, LABELS)


def test_a_perfect_network_has_perfect_metrics(outputs):
    found = TASK.metrics(outputs, LABELS, CLASSES)
    assert [found[share] for share in TASK.shares] == pytest.approx([1, 1, 1])
    by_class, by_size, confused = found["tables"]
    assert [row[3] for row in by_class["rows"]] == [1, 1, 1]
    assert [row[1] for row in by_size["rows"][:2]] == [None, None]
    assert [row[1:] for row in confused["rows"]] == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
    ]
    assert found["charts"][0]["lines"]["dog"][-1] == [1.0, 1.0]
    assert TASK.worst(dataset(LABELS).test, CLASSES, outputs).rows == []


def test_the_worst_pictures_are_drawn(outputs):
    wrong = tuple(one.copy() for one in outputs)
    wrong[1][0], wrong[3][0] = -6, -6  # nothing is found in the first picture
    worst = TASK.worst(dataset(LABELS).test, CLASSES, wrong)
    assert [row["file"] for row in worst.rows] == ["a"]
    assert worst.rows[0]["note"] == "2 missed, 0 without an object, 0 of another class"
    (picture,) = worst.pictures.values()
    assert picture.shape == (320, 320, 3)
    assert (picture == (0, 200, 0)).all(axis=2).any()
    found = TASK.metrics(wrong, LABELS, CLASSES)
    assert found["ap50"] == pytest.approx(1 / 3)


def test_confusion_by_hand():
    truth = [
        Truth(
            np.array([[0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60], [70, 70, 90, 90]], float),
            np.array([0, 1, 1, 0]),
            np.array([False, False, False, True]),
        )
    ]
    found = [
        Found(
            np.array(
                [
                    [0, 0, 10, 9],  # the first object
                    [1, 0, 10, 10],  # the same again
                    [20, 20, 30, 31],  # the second, of another class
                    [72, 72, 80, 80],  # on what is neither to be found nor to be missed
                ],
                float,
            ),
            np.array([0, 0, 0, 1]),
            np.array([0.9, 0.8, 0.7, 0.6]),
        )
    ]
    assert confusion(truth, found, 2).tolist() == [[1, 0, 0], [1, 0, 1], [1, 0, 0]]


def test_answers_are_in_pixels_of_the_picture(outputs):
    framing = InputSpec(64, fit="stretch").framing((640, 320))
    said = TASK.answers(outputs, CLASSES, 5, "a.tflite", [framing] * 3)["predictions"]
    assert [len(one["boxes"]) for one in said] == [2, 1, 0]
    (box,) = said[1]["boxes"]
    assert box["label"] == "dog"
    assert box["box"] == pytest.approx([128, 64, 384, 224], abs=0.2)
    assert box["score"] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-3)
    named = {"predictions": [one | {"image": name} for one, name in zip(said, "abc", strict=True)]}
    columns, rows = TASK.answer_rows(named)
    assert len(columns) == 4
    assert [row[0] for row in rows] == ["a", "", "b", "c"]
    assert rows[3][1] == "nothing found"


def test_decisions_are_what_is_found(outputs):
    steps = (0.1, 0.5, 0.1, 0.25)
    chosen, lead = TASK.decisions(outputs, steps)
    assert chosen.shape == lead.shape
    assert set(chosen[0]) == {-1, 0, 2}
    assert set(chosen[2]) == {-1}
    least = np.log(0.3 / 0.7)
    count = MAPS[0][0] * MAPS[0][1] * len(TASK.sizes(2)[0])
    assert lead[2, 0] == pytest.approx((least + 6) / 0.5)
    assert lead[2, count] == pytest.approx((least + 6) / 0.25)
    assert lead[chosen >= 0].min() == pytest.approx((4 - least) / 0.5)


def test_maps_of_one_pixel_may_have_no_sides():
    task = Detection(anchors=(0.2, 0.3, 0.5, 0.5), clusters=2)
    random = np.random.default_rng(0)
    whole = [random.normal(0, 2, (2, 3, 3, 4)), random.normal(0, 2, (2, 3, 3, 3))]
    point = [random.normal(0, 2, (2, 1, 1, 4)), random.normal(0, 2, (2, 1, 1, 3))]
    flat = [one.reshape(2, -1) for one in point]
    for one, other in zip(
        task.found([*whole, *point], 3, "a"), task.found([*whole, *flat], 3, "a"), strict=True
    ):
        assert one.to_dict() == other.to_dict()
    steps = (1.0,) * 4
    chosen = task.decisions((*whole, *point), steps).chosen
    assert (chosen == task.decisions((*whole, *flat), steps).chosen).all()


def test_other_outputs_are_refused(outputs):
    with pytest.raises(UserError, match="a detector of 2 classes with these anchors has"):
        TASK.metrics(outputs, LABELS, CLASSES[:2])
    broken = (outputs[0] * np.nan, *outputs[1:])
    with pytest.raises(UserError, match="outputs that are not numbers"):
        TASK.metrics(broken, LABELS, CLASSES)


def test_anchors_of_the_data_are_settings(outputs):
    assert len(TASK.anchors) == 6
    assert TASK.fitted(dataset(LABELS * 0.5)) == TASK
    assert task_from_dict(TASK.to_dict(), "a") == TASK
    options = [f"anchors={','.join(map(str, TASK.anchors))}", "clusters=3", "extras=0"]
    assert make_task("detection", options) == TASK
    with pytest.raises(UserError, match=r"anchors is \[0.5\]; it must be widths and heights"):
        replace(TASK, anchors=(0.5,))
    with pytest.raises(UserError, match="3 anchors for 5 feature maps"):
        replace(TASK, extras=4, first_stride=8).with_head(make_network("v2", 0.35, 96), 3)


@pytest.mark.parametrize("name", ["v1", "v2", "v3_small", "v4_conv_s"])
def test_heads_for_small_inputs(name):
    """No map follows one of a single pixel, whatever the input."""
    for size, sides in ((96, [6, 3, 2, 1]), (192, [12, 6, 3, 2, 1]), (320, [20, 10, 5, 3, 2, 1])):
        network = Detection().with_head(make_network(name, 0.5, size), 3)
        assert [op.shape[0] for op in lower(network).outputs[0::2]] == sides
    constants = TASK.constants(TASK.with_head(make_network(name, 0.5, 64), 3), CLASSES)
    assert constants["maps"] == MAPS
    assert sum(map(len, constants["sizes"])) == 3
    texts = TASK.output_texts(TASK.with_head(make_network(name, 0.5, 64), 3))
    assert [text[0] for text in texts] == ["boxes_1", "scores_1", "boxes_2", "scores_2"]


@pytest.mark.parametrize("field", ["train.label_smoothing", "qat.augmentation.mixup"])
def test_recipes_of_classifiers_are_refused(field):
    from mobilenet_tf.core.settings import flatten

    fields = flatten(load_recipe("detection").to_dict())
    TASK.check_recipe(fields)
    with pytest.raises(UserError, match=rf"{field} is 0\.2; it must be 0 or off"):
        TASK.check_recipe(fields | {field: 0.2})
