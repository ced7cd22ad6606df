"""`compare` on scikit-learn's digits: killed and resumed, limits, files, what it refuses."""

import json
import subprocess
from dataclasses import replace

import pytest

import mobilenet_tf as mn
from mobilenet_tf.commands.comparison_trials import Trainer
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.predictions import (
    NAME,
    NONE,
    Predictions,
    read_predictions,
    write_predictions,
)
from mobilenet_tf.runs.run import Run
from tests.killing import command, kill, wait_until
from tests.networks.test_family import Twin

pytestmark = [pytest.mark.xdist_group("compare"), pytest.mark.usefixtures("short_networks")]
SPECS = ["v1:0.1@32", "v1:0.12@32", "v2:1@32"]  # the last one exceeds the limit
FIELDS = {"train.epochs": 1, "qat.epochs": 0, "calibration": 16}
RECIPE = mn.load_recipe("small_data").with_fields(FIELDS)
SETTINGS = mn.ComparisonSettings(recipe=RECIPE, seeds=2, budget=mn.Budget(macs=10**6))


def finished(out):
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob(f"trials/*/{NAME}")}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison that is killed after its first trial, and what resuming it returned."""
    out = tmp_path_factory.mktemp("compared") / "out"
    words = command("compare", "--models", ",".join(SPECS), "--out", out)
    words += ["--epochs", "1", "--qat-epochs", "0", "--set", "calibration=16"]
    words += ["--seeds", "2", "--max-macs", "1M"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        wait_until(process, lambda: finished(out))
        assert process.poll() is None, process.stderr.read().decode()
        kill(process)
    before = finished(out)
    assert len(before) == 1
    result = mn.compare("digits", SPECS, settings=SETTINGS, out=out, resume=True)
    return out, before, result


@pytest.mark.slow
def test_finished_trials_are_kept(compared):
    out, before, result = compared
    after = finished(out)
    assert len(after) == 4
    assert before.items() <= after.items()
    assert json.loads((out / "result.json").read_text()) == {
        name: value for name, value in result.items() if name != "files"
    }
    again = mn.compare("digits", SPECS, settings=SETTINGS, out=out, resume=True)
    assert finished(out) == after
    assert again["networks"][0]["int8"] == result["networks"][0]["int8"]


@pytest.mark.slow
def test_rows_are_those_of_the_trials(compared):
    out, _, result = compared
    assert [row["network"] for row in result["networks"]] == ["v1 0.1 32", "v1 0.12 32"]
    for row in result["networks"]:
        for form in ("float", "int8"):
            runs = [Run.open(out / trial) for trial in row["trials"]]
            shares = [getattr(run.result().accuracy, form) for run in runs]
            assert row[form]["seeds"] == pytest.approx(shares)
            assert row[form]["mean"] == pytest.approx(sum(shares) / 2)
            assert row[form]["low"] <= row[form]["mean"] <= row[form]["high"]
        file = out / row["trials"][0] / "model_int8.tflite"
        assert row["file_bytes"] == file.stat().st_size
        assert row["latency_p10_ms"] <= row["latency_ms"] <= row["latency_p90_ms"]
        assert row["arena_bytes"] > 10_000
        assert row["npu_cycles"] > 10_000
    best = max(result["networks"], key=lambda row: row["int8"]["mean"])
    assert best["network"] == result["reference"]
    assert best["difference"] is None


@pytest.mark.slow
def test_what_exceeds_the_budget_is_not_trained(compared):
    out, _, result = compared
    (row,) = result["excluded"]
    assert (row["network"], row["breaks"]) == ("v2 1.0 32", ["macs"])
    assert not list(out.glob("trials/v2*"))
    tight = replace(SETTINGS, budget=mn.Budget(macs=1000))
    with pytest.raises(UserError, match=r"No network .* is within the budget; v1 0\.1 32 comes"):
        mn.compare("digits", SPECS, settings=tight, out=out, resume=True)


@pytest.mark.slow
def test_files(compared):
    out, _, result = compared
    names = {"report.html", "pareto.png", "result.json"}
    names |= {f"comparison.{suffix}" for suffix in ("csv", "md", "tex")}
    assert set(result["files"]) == {str(out / name) for name in names}
    for name in names:
        text = (out / name).read_bytes()
        assert (b"v1" in text) or name == "pareto.png"


@pytest.mark.slow
def test_other_settings_data_and_versions_are_refused(compared, monkeypatch):
    out, *_ = compared

    def resume(source="digits", **changes):
        settings = replace(SETTINGS, **changes)
        mn.compare(source, SPECS[:1], settings=settings, out=out, resume=True)

    with pytest.raises(UserError, match=r"started with recipe\.batch = 32, not 16"):
        resume(recipe=RECIPE.with_fields({"batch": 16}))
    with pytest.raises(UserError, match="started with int8 = True, not False"):
        resume(int8=False)
    with pytest.raises(UserError, match="holds an earlier run; use --resume"):
        mn.compare("digits", SPECS[:1], settings=SETTINGS, out=out)
    monkeypatch.setattr(
        "mobilenet_tf.deployment.proof.verify.versions", lambda: {"tensorflow": "0"}
    )
    with pytest.raises(UserError, match=r"started with versions\."):
        resume()
    assert len(finished(out)) == 4


def test_a_network_without_a_name_and_float_only(tmp_path):
    """The Python call takes networks that no zoo has."""
    base = mn.make_network("v1", 0.1, 32, channels=1)
    rows = (base.backbone[0], Twin(8, 2))
    twins = replace(base, backbone=rows, name="twins", layer_names="plain")
    settings = replace(SETTINGS, seeds=1, int8=False, reference="first", budget=mn.Budget())
    result = mn.compare("digits", [base, twins], settings=settings, out=tmp_path / "out")
    first, second = result["networks"]
    assert result["reference"] == first["network"] == "v1 0.1 32"
    assert second["difference"]["mean"] == pytest.approx(
        second["float"]["mean"] - first["float"]["mean"]
    )
    assert second["int8"] is second["latency_ms"] is result["int8_change"] is None
    assert not list(tmp_path.glob("out/trials/*/*.tflite"))


@pytest.fixture
def trainer(tmp_path):
    return Trainer("digits", SETTINGS, tmp_path)


NETWORKS = [mn.make_network("v1", alpha, 32, channels=1) for alpha in (0.1, 0.2)]


def finish(trainer, network, data, **changes):
    """Leave what a finished trial leaves."""
    folder = RunFolder(trainer.place(network, 0))
    settings = trainer.run_settings(network, 0).with_absolute_paths()
    folder.write_config(settings.with_classes(data.classes).to_dict())
    labels = tuple(data.test.labels.tolist())
    known = {"fingerprint": data.fingerprint, "names": tuple(data.test.names), "labels": labels}
    write_predictions(
        folder.path, Predictions(**{**known, "float": labels, "int8": labels} | changes)
    )


def test_trials_of_other_pictures_are_refused(trainer):
    one, other = NETWORKS
    data = trainer.data(one, 0)
    finish(trainer, one, data)
    assert trainer.collect(NETWORKS, range(2)) == 1
    assert trainer.data(other, 0) is data
    finish(trainer, one, data, fingerprint="0")
    trainer.collect(NETWORKS, range(2))
    with pytest.raises(UserError, match="images of digits have changed since"):
        trainer.data(one, 0)
    shorter = dict.fromkeys(("labels", "float", "int8"), (0,) * 5)
    finish(trainer, other, data, names=tuple("abcde"), **shorter)
    with pytest.raises(UserError, match="images of digits have changed since"):
        trainer.collect(NETWORKS, range(2))


def test_trials_with_other_settings_are_refused(trainer, tmp_path):
    one, _ = NETWORKS
    finish(trainer, one, trainer.data(one, 0))
    other = Trainer("digits", replace(SETTINGS, recipe=mn.load_recipe("small_data")), tmp_path)
    with pytest.raises(UserError, match=r"started with recipe\.calibration = 16, not 512"):
        other.collect([one], [0])


def test_predictions(tmp_path):
    found = Predictions(
        fingerprint="a", names=("x", "y"), labels=(0, 1), float=(0, 0), int8=(NONE, NONE)
    )
    assert read_predictions(tmp_path) is None
    write_predictions(tmp_path, found)
    assert read_predictions(tmp_path) == found
    assert found.correct("float") == {"x": True, "y": False}
    assert found.correct("int8") == {"x": False, "y": False}
    for text in (
        "{",
        "[1]",
        '{"fingerprint": "a"}',
        (tmp_path / NAME).read_text().replace("1]", "1, 2]"),
    ):
        (tmp_path / NAME).write_text(text)
        with pytest.raises(UserError, match=NAME):
            read_predictions(tmp_path)
