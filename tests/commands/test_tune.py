"""The folder of a search: how it begins, what it holds at the end, and a real search."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_tf.commands import tune as module
from mobilenet_tf.commands.tune import begin_search, tune
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.load import class_names
from mobilenet_tf.deployment.tflite.from_graph import phone_file_size
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.selection.search_settings import SearchSettings
from mobilenet_tf.selection.tuning_space import load_space
from mobilenet_tf.training.recipe import load_recipe
from tests.killing import command, kill_when, together

RECIPE = load_recipe("small_data")


@pytest.fixture
def settings(tmp_path):
    """A function from fields in TOML, and further settings, to those of a small search."""
    file = tmp_path / "space.toml"

    def make(fields: str = "batch = [16, 32]", **others) -> SearchSettings:
        file.write_text(f'model = ["v1"]\nalpha = [0.25, 0.5]\nsize = [32, 64]\n{fields}')
        space = load_space(file, RECIPE)
        return SearchSettings(
            data="digits",
            input=InputSpec(32, 1),
            recipe=RECIPE,
            space=space,
            **{"algorithm": "random", "budget": Budget(macs=10**7)} | others,
        )

    return make


def test_a_folder_is_not_overwritten_or_mixed_up(settings, tmp_path):
    out = tmp_path / "search"
    folder, networks = begin_search(settings(), out)
    assert begin_search(settings(), out, resume=True)[1] == networks
    with pytest.raises(UserError, match="holds an earlier run"):
        begin_search(settings(), out)
    other = settings("batch = [16]")
    with pytest.raises(UserError, match=r"started with space\.batch = '\(16, 32\)', not '\(16,\)'"):
        begin_search(other, out, resume=True)
    with pytest.raises(UserError, match="started with epochs = 60, not 3"):
        begin_search(settings(epochs=3), out, resume=True)
    begin_search(other, out, overwrite=True)
    assert folder.config() == other.to_dict()


def test_costs_are_measured_on_the_device_where_they_are_limited(settings, tmp_path):
    phone = settings(budget=Budget(flash=400_000))
    for one in begin_search(phone, tmp_path / "a")[1]:
        assert (one.cost.flash, one.cost.ram) == phone_file_size(one.network)
        assert one.cost.latency is None
    micro = settings(budget=Budget(ram=50_000), device="mcu")
    networks = begin_search(micro, tmp_path / "b")[1]
    assert 0 < len(networks) < 4
    assert all(one.network.classes == 10 and one.cost.ram <= 50_000 for one in networks)
    npu = settings(budget=Budget(latency=1.0), device="ethos-u55-128")
    assert all(one.cost.latency <= 1 for one in begin_search(npu, tmp_path / "c")[1])
    with pytest.raises(UserError, match="Latency on the device mcu cannot be measured"):
        begin_search(settings(budget=Budget(latency=1.0), device="mcu"), tmp_path / "d")


def test_classes_are_counted_without_reading_images(settings, tmp_path, monkeypatch):
    for name in ("cat", "dog", "eel"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.jpg").write_bytes(b"never read")
    assert class_names(str(tmp_path / "data")) == ("cat", "dog", "eel")
    assert class_names("digits") == tuple("0123456789")
    with pytest.raises(UserError, match="does not exist"):
        class_names(str(tmp_path / "absent"))
    with pytest.raises(UserError, match="source is empty"):
        class_names("")


def test_what_a_search_writes(settings, tmp_path, monkeypatch):
    trained = []

    class Trainer:
        def __init__(self, settings, folder):
            pass

        def fingerprint(self, network):
            return "images"

        def __call__(self, trial):
            trained.append(trial)
            return 0.5 + len(trained) / 100

    monkeypatch.setattr(module, "_Trainer", Trainer)
    fields = "train.learning_rate = { min = 1e-4, max = 1e-1, log = true }"
    result = tune(settings(fields, epochs=18, seed=3), trials=6, out=tmp_path / "a")
    best = result["best"]
    assert len(trained) == len(result["trials"]) == 6
    assert best["validation_accuracy"] == max(r["validation_accuracy"] for r in result["trials"])
    assert best["run"] == f"trials/{best['trial']}"
    winner = load_recipe(result["recipe"])
    # As long as the recipe of the search, not as a trial.
    assert winner == RECIPE.with_fields({"name": "best"} | best["fields"])
    assert f"--alpha {best['alpha']:g} --size {best['size']} --channels 1" in result["command"]
    assert f"--recipe {result['recipe']} --seed 3" in result["command"]
    assert Path(result["plot"]).read_bytes()[:4] == b"\x89PNG"
    written = json.loads((tmp_path / "a" / "result.json").read_text())
    assert written["best"] == best
    assert len(written["networks"]) == result["networks"]
    again, same = settings(fields, epochs=18, seed=3), {"fingerprint": lambda network: "images"}
    folder, networks = begin_search(again, tmp_path / "a", resume=True, **same)
    with pytest.raises(UserError, match=r"not those that the search in .* began with"):
        begin_search(again, tmp_path / "a", resume=True, fingerprint=lambda network: "others")
    with pytest.raises(UserError, match="no finished trial"):
        module.write_outcome(settings(fields), networks, [], folder)
    with pytest.raises(UserError, match="trials is 0; it must be at least 1"):
        tune(settings(), trials=0, out=tmp_path / "b")
    with pytest.raises(UserError, match="weights is 'absent'"):
        tune(settings(weights="absent"), trials=4, out=tmp_path / "b")


TUNE = ("tune", "--model", "v1", "--alpha", "0.25", "--algorithm", "random", "--epochs", "2",
        "--set", "batch=64")  # fmt: skip


@pytest.mark.slow
@pytest.mark.xdist_group("tune")
def test_a_real_search_that_is_killed(tmp_path):
    """kill -9 in the second trial: the first stays, the second continues, files are whole."""
    out, space = tmp_path / "out", tmp_path / "space.toml"
    space.write_text(
        'model = ["v1"]\nalpha = [1.0]\nsize = [32]\nbatch = [64]\n'
        "train.learning_rate = { min = 2e-3, max = 8e-3, log = true }\n"
    )
    words = command(*TUNE, "--space", space, "--trials", "2", "--out", out, "--json")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        kill_when(process, 1, out / "trials" / "1" / "checkpoints" / "float.npz")
    first = json.loads((out / "oracle" / "trial_0" / "trial.json").read_text())
    weights = (out / "trials" / "0" / "float.keras").stat().st_mtime_ns
    done = subprocess.run(
        [*words, "--resume"], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [row["trial"] for row in result["trials"]] == ["0", "1"]
    assert result["trials"][0]["validation_accuracy"] == first["score"]
    assert (out / "trials" / "0" / "float.keras").stat().st_mtime_ns == weights
    for row in result["trials"]:
        history = json.loads((out / row["run"] / "result.json").read_text())["history"]["float"]
        assert len(history["loss"]) == 2
        assert row["validation_accuracy"] in history["val_accuracy"]
        assert row["network"] == "v1 0.25 32"
    assert not list(out.rglob(".partial*"))
    assert load_recipe(result["recipe"]).batch == 64


def test_unreadable_images_cost_no_earlier_search(settings, tmp_path):
    """Two classes with one image each cannot be split, which only reading them shows."""
    out, data = tmp_path / "search", tmp_path / "photos"
    begin_search(settings(), out)
    for name in ("cats", "dogs"):
        (data / name).mkdir(parents=True)
        (data / name / "one.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="training images"):
        tune(replace(settings(), data=str(data)), trials=4, out=out, overwrite=True)
    assert (out / "config.toml").is_file()


@pytest.mark.long
def test_a_chief_and_two_workers(tmp_path):
    """Three processes on loopback; each worker trains, and the chief has all results.

    One process alone continues what the chief began, and trains nothing again.
    """
    words = command(*TUNE, "--trials", "4", "--out", tmp_path / "out", "--json")
    output = together(words)
    result = json.loads(output["chief"][0])
    assert [row["trial"] for row in result["trials"]] == list("0123")
    for name in ("one", "two"):
        assert "Trial" in output[name][1]
        assert output[name][0] == ""
    assert "Trial" not in output["chief"][1]
    alone = subprocess.run([*words, "--resume"], capture_output=True, text=True, timeout=900)
    assert json.loads(alone.stdout)["trials"] == result["trials"], alone.stderr
    assert "Trial" not in alone.stderr
