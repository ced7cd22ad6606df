"""A grey network from training on digits to C and an NPU, with its proof."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.compressed import with_narrow_kernels, with_shared_weights
from mobilenet_tf.commands import export
from mobilenet_tf.commands import export_device as command
from mobilenet_tf.commands.common import described
from mobilenet_tf.commands.export_device import export_device
from mobilenet_tf.commands.outcomes.devices import DeviceFacts
from mobilenet_tf.commands.published_model import Pretrained
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c.folder import CForm
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.devices.tables import MCU, PLAIN_C
from mobilenet_tf.deployment.devices.targets import (
    NPU,
    PARITY_MACS,
    PARITY_PICTURES,
    Target,
    parity_pictures,
)
from mobilenet_tf.deployment.tflite.compressed import int4
from mobilenet_tf.deployment.tflite.compressed.decode_operator import stored_tensors
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Budget

pytestmark = pytest.mark.xdist_group("mcu_run")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two epochs on digits, one of quantization-aware training; the first rows of V3-Small."""
    from mobilenet_tf.runs.quantize import quantize
    from mobilenet_tf.runs.run import begin
    from mobilenet_tf.runs.settings import RunSettings
    from mobilenet_tf.runs.train import train
    from mobilenet_tf.training.recipe import load_recipe

    network = make_network("v3_small", 0.5, 32, channels=1)
    network = replace(network, backbone=(*network.backbone[:5], network.backbone[-1]))
    recipe = load_recipe("small_data").with_fields({"train.epochs": 2, "qat.epochs": 1})
    settings = RunSettings(data="digits", network=network, recipe=recipe)
    run = begin(settings, out=tmp_path_factory.mktemp("run") / "digits")
    train(run)
    quantize(run)
    # Every target starts with the same conversion: once is enough.
    content = command.int8_content(run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "int8_content", lambda _: content)
        yield run


@pytest.fixture(scope="module")
def micro(run):
    return export_device(run, MCU)


def test_micro_agrees_with_litert_on_test_pictures(run, micro):
    """99 % of outputs within 1 LSB, and every first class that leads by more than 2."""
    proof = micro["parity"]["litert"]
    assert micro["parity"]["pictures"] == len(run.data.test) > PARITY_PICTURES
    assert proof["within_1_lsb"] >= 0.99
    assert proof["sure"] > 0
    assert proof["sure_top1_agreement"] == 1
    assert micro["parity"]["xnnpack"]["sure_top1_agreement"] >= 0.99


def test_large_networks_and_test_sets_are_compared_on_fewer_pictures(run):
    test = run.data.test
    small, large = make_network("v1", 0.25, 96), make_network("v1", 1.0, 224)
    many = test.subset(np.arange(10 * len(test)) % len(test))
    assert len(parity_pictures(test, small, 0)) == len(test)
    assert len(parity_pictures(test, large, 0)) == PARITY_PICTURES
    assert len(parity_pictures(many, small, 0)) == PARITY_MACS // count(small).macs < len(many)


def test_plain_c_has_the_interpreters_scores(run, micro):
    """On every picture that is compared, bit for bit; and in less memory than the other form."""
    facts = export_device(run, Target(PLAIN_C, "digits"))
    assert facts["max_lsb"] == 0
    assert facts["pictures"] == len(run.data.test)
    assert facts["arenas"]["portable"] <= micro["arena"]["activations"]
    folder = Path(facts["folder"])
    assert "int digits_invoke(" in (folder / "src" / "digits_io.h").read_text()
    assert (folder / "src" / "digits.c").stat().st_size > facts["bytes"]
    assert run.result().to_dict()["devices"][PLAIN_C].items() >= facts.items()
    assert DeviceFacts(facts).__rich__().row_count == 10
    with pytest.raises(UserError, match=r"does not fit: flash .* The largest that fits is --model"):
        export_device(run, PLAIN_C, Budget(flash=facts["flash_bytes"] - 1), overwrite=True)


def test_phones_get_kernels_of_4_bits(run, monkeypatch):
    """With the same outputs on test pictures, or not at all."""
    content = with_narrow_kernels(command.int8_content(run))
    plain = described(content, run, run.task)
    stored = export._in_4_bits(run, run.task, content, plain)
    assert len(stored) < 0.8 * len(plain)
    assert TFLiteModel(stored).labels == TFLiteModel(plain).labels
    assert "FULLY_CONNECTED" in inspect(stored)["ops"]
    other = int4.int4_weights(with_narrow_kernels(int8_file(run.network)), dense=True)
    monkeypatch.setattr(int4, "int4_weights", lambda *_, **__: other)
    said = rf"--compress int4 changes the outputs of \d+ of {len(run.data.test)}"
    with pytest.raises(UserError, match=said):
        export._in_4_bits(run, run.task, content, plain)
    with pytest.raises(UserError, match="with --target cpu it must be one of none, int4"):
        Target("cpu", compress="lut")
    with pytest.raises(UserError, match="--compress applies only to runs"):
        export.export(Pretrained(), target=Target("cpu", compress="int4"))


@pytest.mark.parametrize(
    ("target", "form", "each"),
    [(MCU, "huffman", 32), (PLAIN_C, "huffman", 27), (PLAIN_C, "lut", 8)],
)
def test_forms_that_are_slow_to_decode_are_named_with_the_figure(
    run, tmp_path, monkeypatch, target, form, each
):
    shutil.copytree(run.folder.path, tmp_path / "run")  # its result keeps the other exports
    run = Run.open(tmp_path / "run")
    content, said = with_shared_weights(command.int8_content(run), 16, 0.75), []
    monkeypatch.setattr(command, "int8_content", lambda _: content)
    monkeypatch.setattr(command, "say", said.append)
    facts = export_device(run, Target(target, compress=form), out=tmp_path / "folder")
    file = (CForm if target == PLAIN_C else McuForm)(content, form).small
    weights = sum(stored.values.size for _, stored in stored_tensors(parse_model(file)))
    assert facts["decoding"] == {form: {"weights": weights, "instructions": each * weights}}
    (sentence,) = said
    assert f"about {each * weights:,} instructions of a Cortex-M4" in sentence
    assert f"{each} for each of {weights:,} weights from {form}" in sentence
    assert command.slow_decoding(facts["decoding"], 4 * each * weights) == ""
    assert "decoding" in "".join(map(str, DeviceFacts(facts).__rich__().columns[0].cells))
    assert run.result().to_dict()["devices"][target]["decoding"] == facts["decoding"]


def test_any_npu_gets_hard_swish_as_one_operator(run):
    facts = export_device(run, NPU)
    file = Path(facts["folder"]) / "model.tflite"
    swishes = sum(row.activation == "hard_swish" for row in run.network.backbone)
    assert inspect(file)["ops"]["HARD_SWISH"]["count"] == facts["operators"]["HARD_SWISH"]
    assert facts["operators"]["HARD_SWISH"] >= swishes
    assert inspect(file)["inputs"][0]["dtype"] == "int8"
    with pytest.raises(UserError, match="not one particular device"):
        export_device(run, NPU, Budget(flash=1))


def test_the_folder_is_grey_and_whole(run, micro):
    folder = Path(micro["folder"])
    assert "#define MODEL_CHANNELS 1\n" in (folder / "model_io.h").read_text()
    assert f"#define MODEL_BYTES {micro['bytes']}\n" in (folder / "model.h").read_text()
    assert "HARD_SWISH" in micro["ops"]
    small = (folder / "model.tflite").read_bytes()
    assert len(small) == micro["bytes"]
    test = run.data.test
    inputs = TFLiteModel(small, delegate=False).prepare(test.images[:4])
    assert MicroModel(small, micro["arena"]["needed"]).run(inputs).shape == (4, 10)
    assert run.result().to_dict()["devices"][MCU] == micro


def test_npu_takes_all_of_it(run, micro):
    facts = export_device(run, "ethos-u55-128")
    assert facts["ops_on_npu"] == facts["ops"]
    assert (Path(facts["folder"]) / "model.tflite").stat().st_size == facts["bytes"]
    assert json.loads((Path(facts["folder"]) / "npu.json").read_text())["cycles"] > 0
    assert set(run.result().devices) >= {"ethos-u55-128"}


def test_operators_beside_the_npu_are_refused(run, files, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "int8_content", lambda _: files.float32.read_bytes())
    monkeypatch.setattr(command, "settled_task", lambda run, content: run.task)
    with pytest.raises(UserError, match=r"Of the model's \d+ operators ethos-u55-128 takes only"):
        export_device(run, "ethos-u55-128", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scales", "types"),
    [("--per-tensor", ("uint8", "int8", "float32")), ("--per-channel", ("int8", "float32"))],
)
def test_every_form_of_the_file_is_proven(run, tmp_path, scales, types):
    from mobilenet_tf.cli.app import app
    from mobilenet_tf.commands.verify import verify

    folder = shutil.copytree(run.folder.path, tmp_path / "run")

    def call(*arguments: str) -> None:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 0, done.exception

    call("quantize", str(folder), scales, "--qat-epochs", "0", "--overwrite")
    for io in types:
        call("export", str(folder), "--io", io)
        facts = inspect(folder / "model_int8.tflite")
        assert {facts[ends][0]["dtype"] for ends in ("inputs", "outputs")} == {io}
        assert facts["float_tensors"] == (2 if io == "float32" else 0)
        assert {layer["per_channel"] for layer in facts["layers"]} == {scales == "--per-channel"}
        result = verify(folder).result()
        assert result.parity.within_1_lsb >= 0.995
        assert result.accuracy.int8 == pytest.approx(result.accuracy.qat, abs=0.01)


def test_what_does_not_fit_is_not_written(run, micro, tmp_path):
    budget = Budget(ram=micro["arena"]["needed"] - 16, flash=micro["bytes"])
    needed = micro["arena"]["needed"]
    message = f"does not fit: RAM {needed:,} of {needed - 16:,} bytes"
    with pytest.raises(UserError, match=message):
        export_device(run, MCU, budget, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_latency_of_a_microcontroller_is_unknown(run, tmp_path):
    with pytest.raises(UserError, match="Latency on the device mcu cannot be measured here"):
        export_device(run, MCU, Budget(latency=5), tmp_path / "out")


def test_a_file_is_no_folder(run):
    with pytest.raises(UserError, match=r"config.toml is a file; --out takes a folder"):
        export_device(run, MCU, out=run.folder.config_file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "mcuu"], "target is 'mcuu'"),
        (["--max-arena", "5KB"], "--max-arena applies only to --target mcu"),
        (["--target", "mcu", "--max-flash", "x"], "--max-flash is 'x'"),
        (["--target", "mcu", "--io", "uint8"], "--io applies only to --target cpu"),
        (["--target", "npu", "--prefix", "x"], "--prefix applies only to --target mcu and c"),
        (["--compress", "int4"], "--compress applies only to runs"),
        (["--target", "npu", "--compress", "lut"], "applies only to --target cpu, mcu, c."),
        (["--target", "mcu", "--compress", "pq"], "with --target mcu it must be one of none, auto"),
        (["--target", "mcu", "--compress", "zip"], "with --target mcu it must be one of none"),
        (["--target", "npu", "--data", "x"], "--data applies only to models that are not runs"),
    ],
)
def test_command_line_errors(tmp_path, arguments, message):
    from mobilenet_tf.cli.app import app

    done = CliRunner().invoke(app, ["export", str(tmp_path), *arguments])
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)
