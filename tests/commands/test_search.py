"""`search` on scikit-learn's digits: killed and resumed, files, and images that it must not see."""

import csv
import json
import subprocess
from pathlib import Path

import pytest

import mobilenet_tf as mn
from mobilenet_tf.commands import search as module
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.selection.architecture import Judge
from mobilenet_tf.tasks.classification.task import Classification
from tests.killing import command, kill_when, together
from tests.scale import Scale
from tests.selection.architectures import TINY, tiny

pytestmark = pytest.mark.usefixtures("short_networks")
FIELDS = {"train.epochs": 1, "qat.epochs": 0, "calibration": 16, "batch": 64}
RECIPE = mn.load_recipe("small_data").with_fields(FIELDS)


class Unseen:
    """Test images of which only the number and the fingerprint may be asked."""

    def __init__(self, split):
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def __getattr__(self, name):
        raise AssertionError(f"the search asks for the {name} of the test images")

    def update_digest(self, digest, name):
        self._split.update_digest(digest, name)


@pytest.fixture
def settings(tmp_path):
    def make(**others) -> mn.ArchitectureSettings:
        fields = {
            "data": "digits",
            "input": InputSpec(32, 1),
            "recipe": RECIPE,
            "space": tiny(tmp_path),
        }
        budget = {"budget": mn.Budget(macs=100_000), "judge": Judge(epochs=1), "winners": 1}
        return mn.ArchitectureSettings(**fields | budget | others)

    return make


@pytest.fixture
def compared(monkeypatch):
    """What is compared at the end, which nothing trains here; the search sees no test images."""
    calls = []

    def compare(data, networks, *, settings, out, resume):
        calls.append(networks)
        return Outcome(networks=[], files=[f"{out}/report.html"])

    load = Classification.load

    def read(*arguments):
        data = load(*arguments)
        object.__setattr__(data, "test", Unseen(data.test))
        return data

    monkeypatch.setattr(module, "compare", compare)
    monkeypatch.setattr(Classification, "load", read)
    return calls


def test_finalists(settings, compared, tmp_path):
    """The largest networks are trained, at their own size; the best of these is the winner."""
    fields = FIELDS | {"train.epochs": 4}
    chosen = settings(
        judge=Judge(kind="macs", size=40),
        finalists=2,
        recipe=mn.load_recipe("small_data").with_fields(fields),
    )
    out = tmp_path / "out"
    result = mn.search(chosen, trials=8, out=out)
    largest = sorted(result["trials"], key=lambda row: -row["macs"])[:2]
    finalists = result["finalists"]
    assert [row["network"] for row in finalists] == [row["network"] for row in largest]
    for row in finalists:
        run = json.loads((out / row["run"] / "result.json").read_text())
        assert len(run["history"]["float"]["loss"]) == row["epochs"] == 2
        assert row["judged"] in run["history"]["float"]["val_accuracy"]
        assert RunFolder(out / row["run"]).config()["network"]["input"]["size"] == 32
    best = max(finalists, key=lambda row: row["reward"])
    assert [row["network"] for row in result["winners"]] == [best["network"]]
    assert compared[0][0].name == best["network"].split()[0]
    states = [out / row["run"] / "checkpoints" / "float.npz" for row in finalists]
    trained = [file.stat().st_mtime_ns for file in states]
    again = mn.search(chosen, trials=8, out=out, resume=True)
    assert again["finalists"] == finalists
    assert trained == [file.stat().st_mtime_ns for file in states]
    mn.search(settings(judge=Judge(kind="macs")), trials=3, out=out, overwrite=True)
    assert not (out / "finalists").exists()


@pytest.mark.slow
def test_a_search_with_a_supernet(settings, compared, tmp_path):
    """Judged without the test images; the winners and published networks are compared."""
    chosen = settings(judge=Judge(kind="supernet", epochs=1), winners=2)
    result = mn.search(chosen, trials=4, out=tmp_path / "out")
    rows = result["trials"]
    assert len(rows) == 4
    assert all(0 <= row["judged"] <= 1 and row["macs"] <= 100_000 for row in rows)
    assert {row["reward"] for row in rows} == {row["judged"] for row in rows}
    best = max(rows, key=lambda row: row["reward"])
    assert result["winners"][0]["network"] == best["network"]
    (networks,) = compared
    assert [network.name for network in networks[2:]] == ["v1", "v2", "v3_small", "v3_large"]
    assert [network.name for network in networks[:2]] == [
        row["network"].split()[0] for row in result["winners"]
    ]
    with (tmp_path / "out/candidates.csv").open() as file:
        assert [row["network"] for row in csv.DictReader(file)] == [row["network"] for row in rows]
    assert (tmp_path / "out/trials.png").read_bytes()[:4] == b"\x89PNG"
    written = json.loads((tmp_path / "out/result.json").read_text())
    held = written["architectures"]
    assert [Network.from_dict(one) for one in held.values()] == networks[:2]
    again = mn.search(chosen, trials=4, out=tmp_path / "out", resume=True)
    assert again["trials"] == rows
    with pytest.raises(UserError, match="holds an earlier run; use --resume"):
        mn.search(chosen, trials=4, out=tmp_path / "out")
    other = settings(judge=Judge(kind="supernet", epochs=2))
    with pytest.raises(UserError, match=r"started with judge\.epochs = 1, not 2"):
        mn.search(other, trials=4, out=tmp_path / "out", resume=True)
    smaller = settings(judge=Judge(kind="macs"))
    mn.search(smaller, trials=3, out=tmp_path / "out", overwrite=True)
    assert not list((tmp_path / "out").glob("trials/*"))
    assert not (tmp_path / "out/supernet").exists()


def test_the_most_multiply_adds(settings, compared, tmp_path):
    """MCUNet's rule needs no training; what exceeds the budget is counted."""
    result = mn.search(settings(judge=Judge(kind="macs")), trials=8, out=tmp_path / "out")
    most = max(result["trials"], key=lambda row: row["macs"])
    assert result["winners"][0]["macs"] == most["macs"] <= 100_000
    assert result["refused"] > 0
    assert not (tmp_path / "out/trials").exists()


def test_latency_is_limited(settings, compared, tmp_path, monkeypatch):
    """The table of parts decides what is tried, and which published networks are nearest."""
    table = PartsTable(Scale(), path=tmp_path / "measured.json")
    monkeypatch.setattr(module, "budget_table", lambda *_: table)
    limited = settings(judge=Judge(kind="macs"), budget=mn.Budget(latency=0.6))
    result = mn.search(limited, trials=6, out=tmp_path / "out")
    assert result["refused"] > 0
    assert all(0 < row["latency"] <= 0.6 for row in result["trials"])
    (networks,) = compared
    for network, row in zip(networks[1:], result["published"], strict=True):
        assert row["latency"] == table.cost(network).latency
    table.measured_on = "another scale"
    with pytest.raises(UserError, match=r"started with costs of scale, not of another scale"):
        mn.search(limited, trials=6, out=tmp_path / "out", resume=True)


@pytest.mark.slow
def test_winners_and_published_networks_are_trained(settings, tmp_path):
    """The end of a search: one table, and a run folder for each training."""
    out = tmp_path / "out"
    result = mn.search(settings(judge=Judge(kind="macs"), seeds=1), trials=3, out=out)
    names = [row["network"] for row in (*result["winners"], *result["published"])]
    rows = result["final"]["networks"]
    assert [row["network"] for row in rows] == names
    assert [row["model"] for row in rows[1:]] == ["v1", "v2", "v3_small", "v3_large"]
    for row in rows:
        (trial,) = row["trials"]
        run = mn.Run.open(out / "final" / trial, "model_int8.tflite")
        assert run.network.name == row["model"]
        assert run.result().score.int8 == pytest.approx(row["int8"]["mean"])
    assert (out / "final" / "pareto.png").read_bytes()[:4] == b"\x89PNG"
    again = mn.search(settings(judge=Judge(kind="macs"), seeds=1), trials=3, out=out, resume=True)
    assert [row["int8"] for row in again["final"]["networks"]] == [row["int8"] for row in rows]


@pytest.mark.long
def test_a_chief_and_two_workers(tmp_path):
    """Three processes share a search; the chief trains the winner and has all results."""
    space = tmp_path / "space.toml"
    space.write_text(TINY)
    words = command("search", "--space", space, "--out", tmp_path / "out", "--max-macs", "100K")
    words += ["--trials", "4", "--judge-epochs", "1", "--epochs", "1", "--qat-epochs", "0"]
    words += ["--winners", "1", "--seeds", "1", "--set", "batch=64", "--json"]
    output = together(words)
    result = json.loads(output["chief"][0])
    assert [row["trial"] for row in result["trials"]] == list("0123")
    assert len(result["final"]["networks"]) == 5
    for name in ("one", "two"):
        assert "Trial" in output[name][1]
        assert output[name][0] == ""


def test_what_cannot_begin(settings, compared, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"No network of the space is within .* found_.* nearest"):
        mn.search(settings(budget=mn.Budget(macs=1000)), out=out)
    with pytest.raises(UserError, match="Latency on the device mcu cannot be measured"):
        mn.search(settings(budget=mn.Budget(latency=1.0), device="mcu"), out=out)
    for options, said in (({"trials": 0}, "trials is 0"), ({"hours": 0}, "hours is 0")):
        with pytest.raises(UserError, match=said):
            mn.search(settings(), out=out, **options)
    place = {"ORACLE_IP": "127.0.0.1", "ORACLE_PORT": "8000", "TUNER_ID": "chief"}
    for name, value in place.items():
        monkeypatch.setenv(f"KERASTUNER_{name}", value)
    with pytest.raises(
        UserError, match="judge is 'macs'; several machines can share only training"
    ):
        mn.search(settings(judge=Judge(kind="macs")), out=out)
    assert not out.exists()


def test_a_search_that_is_killed(settings, compared, tmp_path):
    """kill -9 in the second of four short trainings: the first stays, the second continues.

    What continues must not see the test images.
    """
    out, space = tmp_path / "out", tmp_path / "space.toml"
    space.write_text(TINY)
    words = command("search", "--space", space, "--out", out, "--max-macs", "100K")
    words += ["--trials", "4", "--judge-epochs", "2", "--epochs", "1", "--qat-epochs", "0"]
    words += ["--winners", "1", "--set", "calibration=16", "--set", "batch=64"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        kill_when(process, 1, out / "trials" / "1" / "checkpoints" / "float.npz")
    first = json.loads((out / "oracle" / "trial_0" / "trial.json").read_text())
    weights = (out / "trials" / "0" / "float.keras").stat().st_mtime_ns
    result = mn.search(settings(judge=Judge(epochs=2)), trials=4, out=out, resume=True)
    assert [row["trial"] for row in result["trials"]] == list("0123")
    assert result["trials"][0]["judged"] == first["score"]
    assert (out / "trials" / "0" / "float.keras").stat().st_mtime_ns == weights
    for row in result["trials"]:
        curves = json.loads((Path(out) / row["run"] / "result.json").read_text())["history"]
        assert len(curves["float"]["loss"]) == 2
