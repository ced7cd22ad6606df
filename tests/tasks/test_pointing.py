"""Everything that tasks share, with a task of two outputs whose labels are no classes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import mobilenet_tf as mn
from mobilenet_tf.cli.app import app
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import read_metadata
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings, read_settings
from mobilenet_tf.tasks.registry import TASKS, make_task, metadata_of, options_of, task_from_dict
from tests.tasks.pointing import CLASSES, Pointing

pytestmark = pytest.mark.xdist_group("pointing")


@pytest.fixture(scope="module")
def pointing():
    """The task, registered like those of the package."""
    TASKS["pointing"] = Pointing
    yield Pointing(tolerance=0.3)
    del TASKS["pointing"]


@pytest.fixture(scope="module")
def run(pointing, tmp_path_factory) -> Run:
    recipe = mn.load_recipe("small_data").with_fields(
        {"train.epochs": 1, "qat.epochs": 1, "batch": 16}
    )
    network = make_network("v1", 0.25, 48)
    network = replace(network, backbone=network.backbone[:4])  # enough to point
    settings = RunSettings(data="lights", network=network, task=pointing, recipe=recipe)
    return mn.run(settings, out=tmp_path_factory.mktemp("pointing") / "run")


def test_the_whole_run(run):
    result = run.result()
    assert result.task == "pointing"
    assert set(result.metrics) == {"near", "half"}
    assert result.score.int8 == result.metrics["near"].int8 is not None
    assert result.parity.within_1_lsb > 0.99
    assert result.data.repaired
    assert result.tables[0].title == "Halves"
    assert [tensor.shape for tensor in result.tflite.outputs] == [(1, 1, 1, 2)] * 2
    assert result.tflite.float_tensors == 0
    assert len({tensor.scale for tensor in result.tflite.outputs}) == 2
    assert read_settings(run.folder.path).task == Pointing(tolerance=0.3)
    report, card = run.folder.report.read_text(), run.folder.card.read_text()
    for text in ("share of near places", "Halves"):
        assert text in report.lower() or text in report
        assert text in card
    assert "the first" in report
    assert "Pointing at the brightest place" in card


def test_the_file_says_what_it_is(run):
    metadata = read_metadata(run.folder.tflite.read_bytes())
    assert task_from_dict(metadata.extra["task"], "file") == Pointing(tolerance=0.3)
    assert metadata.labels == CLASSES


def test_predict_tells_places_in_pixels_of_the_picture(run, tmp_path):
    picture = tmp_path / "wide.png"
    Image.new("RGB", (400, 200), "gray").save(picture)
    found = mn.predict(run.folder.tflite, [picture])
    (x, y) = found["predictions"][0]["point"]
    outputs = TFLiteModel(run.folder.tflite).run(np.full((1, 48, 48, 3), 128, np.uint8))
    # The input shows the middle square of the picture.
    np.testing.assert_allclose([(x - 100) / 200, y / 200], outputs[0][0], atol=1e-3)


def test_evaluate_measures_what_verify_measured(run):
    found = mn.evaluate(run.folder.path)
    assert found["near"] == run.result().metrics["near"].int8
    copies = mn.evaluate(run.folder.path, robustness=True)["robustness"]
    assert run.result().robustness[0].metrics["near"] == copies[0]["near"]


def test_the_command_line(run, tmp_path, capsys):
    picture = tmp_path / "a.png"
    Image.new("RGB", (48, 48)).save(picture)
    for words in (
        ["predict", run.folder.tflite, picture],
        ["evaluate", run.folder.path],
        ["inspect", run.folder.tflite],
        ["summary", "v1", "--task", "pointing", "--size", "48", "--json"],
    ):
        app(list(map(str, words)), standalone_mode=False)
    shown = capsys.readouterr().out
    assert "point" in shown
    assert "Halves" in shown
    assert json.loads(shown[shown.index("{") :])["layers"][-1]["name"] == "half"


def test_the_file_again_from_the_folder(run):
    before = run.folder.tflite.read_bytes()
    mn.export(run.folder.path)
    assert run.folder.tflite.read_bytes() == before


@pytest.mark.parametrize("target", ["mcu", "c"])
def test_firmware_has_all_outputs(run, target, tmp_path):
    pytest.importorskip("tflite_micro")
    facts = mn.export(run.folder.path, target=target, out=tmp_path / target).facts
    if target == "mcu":
        assert facts["parity"]["litert"]["max_lsb"] == 0
    header = next((tmp_path / target).rglob("model_io.h")).read_text()
    assert "#define MODEL_OUTPUTS 2" in header
    assert "#define MODEL_OUTPUT_SIZES {2, 2}" in header
    scales = [f"MODEL_OUTPUT_{number}_SCALE" for number in range(2)]
    assert all(scale in header for scale in scales)


def test_options_of_a_task(pointing):
    task = make_task("pointing", ["tolerance=0.5", "names=a, b"])
    assert task == Pointing(tolerance=0.5, names=("a", "b"))
    assert options_of(task) == {
        "task": "pointing",
        "task-option": ["tolerance=0.5", "names=a,b"],
    }
    assert task_from_dict(metadata_of(task)["task"], "file") == task
    for options, message in (
        (["tolerance=2"], "tolerance is 2.*must be greater than 0 and at most 1"),
        (["tolerance=much"], "must be a number"),
        (["size=2"], "unknown field 'size'"),
        (["tolerance"], "--task-option is 'tolerance'; it must be FIELD=VALUE"),
    ):
        with pytest.raises(UserError, match=message):
            make_task("pointing", options)


def test_a_recipe_that_does_not_suit_the_task(pointing):
    recipe = mn.load_recipe("small_data").with_fields({"train.augmentation.mixup": 0.2})
    settings = RunSettings(data="lights", network=make_network("v1", 0.25, 48), task=pointing)
    with pytest.raises(UserError, match="places cannot be mixed"):
        replace(settings, recipe=recipe)
