"""Every task, from `run` to those who use its file, with a small network and its own digits."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

import mobilenet_tf as mn
from mobilenet_tf.datasets import scenes
from mobilenet_tf.deployment.devices.c.host import FLAGS
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.registry import TASKS, task_from_dict
from tests.short import shallow
from tests.slow import slow_but

DIGITS = 900  # of 1,797, so that an epoch is short


def first_digits() -> Bunch:
    """Return the first of scikit-learn's digits."""
    every = load_digits()
    return Bunch(
        images=every.images[:DIGITS], target=every.target[:DIGITS], target_names=every.target_names
    )


@pytest.fixture(scope="module", params=slow_but(["detection"], sorted(TASKS), together=True))
def run(request, tmp_path_factory) -> Run:
    """A run of one epoch with the default recipe of the task, on few digits and scenes."""
    task = TASKS[request.param]()
    recipe = mn.load_recipe(task.recipe).with_fields(
        {"train.epochs": 1, "qat.epochs": 1, "calibration": 32}
    )
    size, channels = task.usual_input("digits")
    settings = RunSettings(
        data="digits",
        network=shallow(make_network("v1", 0.25, size, channels=channels)),
        task=task,
        recipe=recipe,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn.datasets.load_digits", first_digits)
        for split, count in {"train": 64, "validation": 16, "test": 24}.items():
            patch.setitem(scenes.COUNTS, split, count)
        yield mn.run(settings, out=tmp_path_factory.mktemp(task.name) / "run")


def test_the_file_computes_what_the_network_does(run):
    result = run.result()
    assert result.task == run.task.name
    assert 0 <= result.score.int8 <= 1
    assert result.parity.within_1_lsb >= 0.995  # of the output that agrees least
    assert result.tflite.float_tensors == 0
    assert result.tflite.partitions == 1
    outputs = {name: one for name, one in result.tflite.tensors.items() if "output" in name}
    assert len(outputs) == len(TFLiteModel(run.folder.tflite).outputs)
    assert all(tensor.scale for tensor in outputs.values())


def test_the_metadata_name_the_task(run):
    model = TFLiteModel(run.folder.tflite)
    task = task_from_dict(model.metadata.extra.get("task"), model.name)
    assert type(task) is type(run.task)
    assert (model.labels or ()) == run.task.labels(run.classes)
    constants = model.metadata.extra.get("constants", {})
    assert constants == json.loads(json.dumps(task.constants(run.network, run.classes)))


def test_report_and_card_say_what_it_is(run):
    report, card = run.folder.report.read_text(), run.folder.card.read_text()
    assert run.task.use in card
    for limit in run.task.limits:
        assert limit in card
    assert run.task.noun in report.lower() + card.lower()


def test_predict(run, tmp_path):
    picture = tmp_path / "a picture.png"
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (90, 130, 3), np.uint8)).save(picture)
    found = mn.predict(run.folder.tflite, [picture])
    assert [one["image"] for one in found["predictions"]] == [str(picture)]
    assert found["failed"] == []
    json.dumps(found, allow_nan=False)
    columns, rows = run.task.answer_rows(found)
    assert all(len(row) == len(columns) for row in rows)
    (one,) = found["predictions"]
    for entry in one.get(run.task.entries, [one]):
        assert set(run.task.columns) <= set(one | entry)


def test_evaluate_measures_what_verify_measured(run):
    found = mn.evaluate(run.folder.tflite, data="digits", seed=run.settings.seed)
    assert found[run.task.shares[0]] == pytest.approx(run.result().score.int8)
    json.dumps(found, allow_nan=False)


def test_inspect_and_benchmark(run):
    found = mn.inspect(run.folder.tflite)
    assert found["float_tensors"] == 0
    stated = task_from_dict(found["metadata"]["extra"].get("task"), "the file")
    assert stated.name == run.task.name
    (measured,) = mn.benchmark([run.folder.tflite], rounds=2, profile=False)["files"]
    assert measured["partitions"] == 1


def test_microcontrollers_compute_the_same(run, tmp_path):
    pytest.importorskip("tflite_micro")
    facts = mn.export(run.folder.path, target="mcu", out=tmp_path / "mcu").facts
    assert facts["parity"]["litert"]["within_1_lsb"] >= 0.99
    assert facts["parity"]["litert"]["sure_top1_agreement"] == 1
    assert facts["plain_c"]["max_lsb"] == 0
    assert self_test(tmp_path / "mcu", tmp_path) == 0


def self_test(folder: Path, out: Path) -> int:
    """Return what the self-test of an exported folder returns, built with plain C."""
    main = out / "main.c"
    main.write_text('#include "model_selftest.h"\nint main(void) { return model_selftest(0); }\n')
    names = ("model_answer.c", "model_golden.c", "model_selftest.c", "kernels/*.c")
    sources = [path for name in (*names, "plain_c/**/*.c") for path in folder.glob(name)]
    includes = [f"-I{folder / 'plain_c'}", f"-I{folder}"]
    command = ["cc", *FLAGS, "-DMODEL_SELFTEST_STEPS=0", *includes, *map(str, [main, *sources])]
    subprocess.run([*command, "-lm", "-o", str(out / "main")], check=True)
    return subprocess.run([str(out / "main")]).returncode
