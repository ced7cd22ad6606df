"""A detector in the form of MediaPipe's ObjectDetector: its metadata, and the boxes it finds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.environments import interpreter, outputs_of
from mobilenet_tf.commands.outcomes.devices import DeviceFacts
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.scenes import compose
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.targets import MEDIAPIPE, export_for
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.post_processing import OPERATOR
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.tasks.detection.anchors import anchor_boxes
from mobilenet_tf.tasks.detection.boxes import from_offsets, overlaps, suppress
from mobilenet_tf.tasks.detection.decoding import Found, joined, map_sides
from mobilenet_tf.tasks.detection.task import Detection
from mobilenet_tf.tasks.registry import DEFAULT, task_from_dict

LABELS = ("circle", "square", "star")
SIDE, ENLARGED = 96, 16


def detector(background: bool = False, channels: int = 3) -> Int8Model:
    """Return a detector with random weights, whose outputs have different scales."""
    task = Detection(score=0.75, overlap=0.4, background=background)
    network = make_network("v1", 0.25, SIDE, channels=channels)
    network = task.framed(task.with_head(network, len(LABELS)))
    parsed = parse_model(int8_file(network, fuse_hard_swish=False))
    graph = parsed.subgraphs[0]
    for place, output in enumerate(graph.outputs):
        own = graph.tensors[output].quantization
        own.scale = own.scale * np.float32(1.2 - 0.05 * place)
    return Int8Model(
        content=pack(parsed), network=network, labels=LABELS, title="shapes", task=task
    )


@pytest.fixture(scope="module", params=[False, True], ids=["sigmoid", "with background"])
def model(request) -> Int8Model:
    return detector(background=request.param)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    facts = export_for(model, MEDIAPIPE, Budget(), folder)
    assert facts["operators"][OPERATOR] == 1
    assert facts["bytes"] == (folder / "model.tflite").stat().st_size
    assert DeviceFacts(facts).__rich__().row_count == 2
    assert (folder / "labels.txt").read_text().split() == list(LABELS)
    return folder / "model.tflite"


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """uint8 (4, 96, 96, 3)."""
    scenes = compose("test", 0)
    return np.stack([next(scenes).picture for _ in range(4)])


@pytest.fixture(scope="module")
def expected(model, pictures) -> list[Found]:
    """The boxes by this project's arithmetic, cut at the edges after suppression."""
    task, outputs = model.task, TFLiteModel(model.content).run(pictures)
    anchors = anchor_boxes(map_sides(outputs), task.sizes(len(outputs) // 2))
    found = []
    for offsets, logits in zip(*joined(outputs), strict=True):
        scores = 1 / (1 + np.exp(-logits[:, int(task.background) :].astype(np.float64)))
        places, classes = np.nonzero(scores >= task.score)
        order = np.argsort(-scores[places, classes], kind="stable")
        places, classes = places[order], classes[order]
        boxes = from_offsets(offsets[places], anchors[places])
        kept = suppress(boxes, classes, task.overlap, task.most)
        scores = scores[places, classes]
        found.append(Found(np.clip(boxes[kept], 0, 1), classes[kept], scores[kept]))
    assert all(5 < len(one.boxes) < task.most for one in found)
    return found


def assert_same_boxes(found: Found, expected: Found, least: float) -> None:
    """Boxes of equal scores may stand in another order."""
    assert len(found.boxes) == len(expected.boxes)
    same_class = found.classes[:, np.newaxis] == expected.classes
    shared = np.where(same_class, overlaps(found.boxes, expected.boxes), 0)
    assert shared.max(axis=1).min() > least
    partners = shared.argmax(axis=1)
    assert sorted(partners) == list(range(len(partners)))
    np.testing.assert_allclose(found.scores, expected.scores[partners], atol=1e-5)


def test_litert_finds_the_same_boxes(file, pictures, expected):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (picture,), ends = interpreter.get_input_details(), interpreter.get_output_details()
    assert picture["dtype"] is np.uint8
    for pixels, wanted in zip(pictures, expected, strict=True):
        interpreter.set_tensor(picture["index"], pixels[np.newaxis])
        interpreter.invoke()
        places, classes, scores, (count,) = (interpreter.get_tensor(end["index"]) for end in ends)
        here = slice(int(count))
        boxes = places[0, here][:, [1, 0, 3, 2]]
        assert_same_boxes(Found(boxes, classes[0, here], scores[0, here]), wanted, 0.999)


def test_metadata(model, file):
    found = TFLiteModel(file)
    assert found.labels == LABELS
    assert found.metadata.color_space == "rgb"
    assert found.metadata.mean == (model.network.input.mean,)
    assert found.metadata.fit == "stretch"
    assert task_from_dict(found.metadata.extra["task"], "the file") == model.task.for_files()
    json.dumps(found.metadata.to_dict())


@pytest.mark.skipif(
    not interpreter("mediapipe").is_file(), reason="make test-mediapipe installs MediaPipe"
)
def test_the_real_object_detector_finds_the_same_boxes(file, pictures, expected):
    # Boxes come in whole pixels. Of equal pixels, MediaPipe's resizing makes the same one.
    large = pictures.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
    rows = outputs_of("mediapipe_detector", file.read_bytes(), large)["outputs"]
    for number, wanted in enumerate(expected):
        own = rows[rows[:, 0].astype(int) == number]
        classes = np.array([LABELS.index(name) for name in own[:, 6]])
        boxes = own[:, 1:5].astype(float) / (SIDE * ENLARGED)
        assert_same_boxes(Found(boxes, classes, own[:, 5].astype(float)), wanted, 0.95)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"task": DEFAULT}, "is for detectors, and this is a network for classification"),
        ({"channels": 1}, "MediaPipe gives colour pictures"),
        ({"fit": "pad"}, "was trained with the fit 'pad' instead of 'stretch'"),
    ],
)
def test_what_it_cannot_run_is_refused(changed, message, tmp_path):
    model = detector(channels=changed.pop("channels", 3))
    picture = replace(model.network.input, fit=changed.pop("fit", "stretch"))
    model = replace(model, network=replace(model.network, input=picture), **changed)
    with pytest.raises(UserError, match=message):
        export_for(model, MEDIAPIPE, Budget(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_its_costs_are_unknown(model, tmp_path):
    with pytest.raises(UserError, match="--target mediapipe is not one particular device"):
        export_for(model, MEDIAPIPE, Budget(flash=1), tmp_path)
