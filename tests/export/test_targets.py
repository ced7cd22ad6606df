"""A grey network all the way: trained on digits, quantized, proven, as C and for an NPU."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from export.runtime import TFLiteModel
from export.targets import MCU, Limits, export_for
from export.tflm import MicroModel
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.models.zoo import ZOO


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Two epochs on digits, one of quantization-aware training; the first rows of V3-Small."""
    from mobilenet_tf.job import begin
    from mobilenet_tf.quantization.quantize import quantize
    from mobilenet_tf.training.recipe import load_recipe
    from mobilenet_tf.training.train import train

    spec = ModelSpec("v3_small", ZOO["v3_small"].rows[:4], 0.5, 32, channels=1)
    recipe = load_recipe("small_data").with_fields({"train.epochs": 2, "qat.epochs": 1})
    job = begin(tmp_path_factory.mktemp("run") / "digits", "digits", spec, recipe)
    train(job)
    quantize(job)
    return job


@pytest.fixture(scope="module")
def micro(job):
    return export_for(job, MCU, Limits())


def test_micro_agrees_with_litert_on_test_pictures(job, micro):
    """The issue's bar: 99 % of outputs within 1 LSB, every first class that leads by over 2."""
    proof = micro["parity"]["litert"]
    assert micro["parity"]["pictures"] == 200
    assert proof["within_1_lsb"] >= 0.99
    assert proof["sure"] > 0
    assert proof["sure_top1_agreement"] == 1
    assert micro["parity"]["xnnpack"]["sure_top1_agreement"] >= 0.99


def test_the_folder_is_grey_and_whole(job, micro):
    folder = Path(micro["folder"])
    header = (folder / "model.h").read_text()
    assert "#define MODEL_CHANNELS 1\n" in header
    assert f"#define MODEL_BYTES {micro['bytes']}\n" in header
    assert "HARD_SWISH" in micro["ops"]
    small = (folder / "model.tflite").read_bytes()
    assert len(small) == micro["bytes"]
    test = job.data.test
    inputs = TFLiteModel(small, delegate=False).prepare(test.pictures[:4])
    assert MicroModel(small, micro["arena"]["needed"]).run(inputs).shape == (4, 10)
    assert job.run.result()["devices"][MCU] == micro


def test_npu_takes_all_of_it(job, micro):
    figures = export_for(job, "ethos-u55-128", Limits())
    assert figures["ops_on_npu"] == figures["ops"]
    assert (Path(figures["folder"]) / "model.tflite").stat().st_size == figures["bytes"]
    assert json.loads((Path(figures["folder"]) / "npu.json").read_text())["cycles"] > 0
    assert set(job.run.result()["devices"]) >= {"ethos-u55-128"}


def test_what_does_not_fit_is_not_written(job, micro, tmp_path):
    limits = Limits(arena=micro["arena"]["needed"] - 16, flash=micro["bytes"])
    with pytest.raises(UserError, match="does not fit: arena"):
        export_for(job, MCU, limits, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "mcuu"], "target is 'mcuu'"),
        (["--max-arena", "5KB"], "--max-arena is for --target mcu"),
        (["--target", "mcu", "--max-flash", "x"], "--max-flash is 'x'"),
    ],
)
def test_command_line_errors(tmp_path, arguments, message):
    from mobilenet_tf.cli import app

    done = CliRunner().invoke(app, ["export", str(tmp_path), *arguments])
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)


def test_choose_on_the_command_line():
    from mobilenet_tf.cli import app

    limits = ["--max-size", "300KB", "--max-ram", "100KB", "--classes", "2"]
    done = CliRunner().invoke(app, ["choose", "--target", "mcu", *limits, "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["best"]["bytes"] <= 300_000
    assert result["command"].startswith("mobilenet-tf run --data DIR --model ")
    done = CliRunner().invoke(app, ["choose", "--trials", "2"])
    assert "give --data" in str(done.exception)
