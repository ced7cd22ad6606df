"""Every file of a run knows what it was made from; what is older than its source is not used."""

import json
import zipfile
from pathlib import Path

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import EXPORT, Marker, write_export
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.provenance import fingerprint, require_current, write_model
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

SETTINGS = RunSettings(
    data="digits",
    network=make_network("v1", 0.25, 32, channels=1),
    recipe=load_recipe("small_data"),
)


def write(run: Run, name: str, text: str) -> None:
    write_model(run.folder, name, lambda partial: partial.write_text(text))


@pytest.fixture
def run(tmp_path) -> Run:
    """A run with all its files, as far as their names go."""
    run = begin(SETTINGS, out=tmp_path / "run")
    write(run, "float.keras", "float")
    checkpoints = run.folder.checkpoints
    checkpoints.mkdir()
    (checkpoints / "qat.npz").touch()
    write(run, "qat.keras", "qat")
    write(run, "model_int8.tflite", "int8")
    write(run, "model_ptq_int8.tflite", "ptq")
    run.folder.update_result(accuracy={"float": 0.9, "int8": 0.8}, tflite={"bytes": 4})
    run.folder.report.touch()
    return run


FILES = ("qat.keras", "model_int8.tflite", "model_ptq_int8.tflite")


def test_what_was_written_is_current(run):
    for name in FILES:
        require_current(run.folder, name)


@pytest.mark.parametrize(
    ("replaced", "refused", "command"),
    [
        ("float.keras", "qat.keras", "quantize"),
        ("float.keras", "model_ptq_int8.tflite", "export"),
        ("qat.keras", "model_int8.tflite", "export"),
    ],
)
def test_a_source_that_was_replaced(run, replaced, refused, command):
    """By hand, or by a process that died before it removed what it made useless."""
    (run.folder.path / replaced).write_text("another")
    said = f"was made from an earlier {replaced}; run `mobilenet-tf {command} .*run`"
    with pytest.raises(UserError, match=said):
        require_current(run.folder, refused)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_replaced(run, name):
    (run.folder.path / name).write_text("another run's")
    with pytest.raises(UserError, match=f"{name} is not the file that this run wrote; run"):
        require_current(run.folder, name)


def test_settings_that_were_changed_since(run):
    """A quantization with other settings began, and was killed."""
    from mobilenet_tf.runs.requantize import requantized

    write_model(run.folder, "qat.keras", lambda partial: partial.write_text("q"), run.settings)
    write(run, "model_int8.tflite", "int8")
    require_current(run.folder, "model_int8.tflite")
    requantized(run, per_tensor=True, overwrite=True)
    with pytest.raises(
        UserError, match=r"qat\.keras was made with other settings than config\.toml"
    ):
        require_current(run.folder, "model_int8.tflite")


def test_derived_files_go_when_their_source_changes(run):
    folder = run.folder
    export = Marker(kind=EXPORT, target="mcu", identity=folder.identity)
    write_export(folder.path / "mcu", export, {"main.c": b"main", "model.c": b"model"})
    (folder.path / "mcu" / "main.c").write_text("mine")
    write(run, "qat.keras", "another")
    assert not folder.tflite.exists()
    assert not folder.report.exists()
    assert not (folder.path / "mcu" / "model.c").exists()
    assert (folder.path / "mcu" / "main.c").read_text() == "mine"
    assert folder.ptq_tflite.exists()
    assert run.result().accuracy.int8 is None
    assert run.result().tflite.bytes is None
    write(run, "float.keras", "another")
    assert not folder.qat_model.exists()
    assert not list(folder.checkpoints.iterdir())
    assert run.result().files.keys() == {"float.keras"}


def test_the_same_content_removes_nothing(run):
    before = run.folder.result_file.read_text()
    for name in ("float.keras", "qat.keras", "model_int8.tflite"):
        write(run, name, (run.folder.path / name).read_text())
    assert run.folder.report.exists()
    assert json.loads(run.folder.result_file.read_text()) == json.loads(before)


def test_runs_of_earlier_versions_have_no_records(run):
    values = json.loads(run.folder.result_file.read_text())
    del values["files"]
    run.folder.result_file.write_text(json.dumps(values))
    run.folder.tflite.write_text("another")
    require_current(run.folder, "model_int8.tflite")


def test_the_date_of_a_keras_file_does_not_matter(tmp_path):
    def save(name: str, date: str, weights: str) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("metadata.json", date)
            archive.writestr("model.weights.h5", weights)
        return tmp_path / name

    first, second = save("a.keras", "Monday", "w"), save("b.keras", "Tuesday", "w")
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(save("c.keras", "Monday", "v")) != fingerprint(first)
    assert fingerprint(tmp_path / "absent.keras") is None


def test_commands_refuse_what_is_out_of_date(run, monkeypatch):
    from mobilenet_tf.commands.android import android
    from mobilenet_tf.commands.evaluate import evaluate
    from mobilenet_tf.commands.export import export
    from mobilenet_tf.commands.verify import verify

    folder = run.folder.path
    (folder / "qat.keras").write_text("another")
    for command in (android, evaluate, verify):
        with pytest.raises(UserError, match=r"was made from an earlier qat\.keras"):
            command(folder)
    for options in ({}, {"target": "mcu"}):
        with pytest.raises(UserError, match="is not the file that this run wrote"):
            export(folder, **options)


def test_another_run_s_file_is_recognised_without_records(run, tmp_path):
    from mobilenet_tf.commands.common import require_own_file
    from mobilenet_tf.deployment.tflite.from_graph import graph_file
    from mobilenet_tf.deployment.tflite.metadata import add_metadata
    from mobilenet_tf.networks.lower import lower

    def file(size: int, labels: str) -> bytes:
        network = make_network("v1", 0.25, size, 10, channels=1)
        content = graph_file(lower(network))
        return add_metadata(
            content, name="m", description="d", labels=list(labels), input_spec=network.input
        )

    require_own_file(file(32, "0123456789"), run)
    with pytest.raises(UserError, match=r"classes of .*int8\.tflite are not those of the run"):
        require_own_file(file(32, "abcdefghij"), run)
    with pytest.raises(UserError, match="takes images of 64 x 64 x 1, and the run's network those"):
        require_own_file(file(64, "0123456789"), run)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_damaged_networks_and_checkpoints_are_one_sentence(run, content):
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.runs.models import load_float, load_qat
    from mobilenet_tf.training import checkpoint

    folder = run.folder
    for path in (folder.float_model, folder.qat_model, folder.checkpoints / "qat.npz"):
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"float\.keras"):
        load_float(folder)
    with pytest.raises(UserError, match=r"qat\.keras"):
        load_qat(folder)
    with pytest.raises(UserError, match=r"qat\.npz is damaged and cannot be read; delete it"):
        checkpoint.restore(folder.checkpoints / "qat.npz", build_network(run.network), "")
