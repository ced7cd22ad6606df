"""What is tried, how a search goes on after a kill, and what it leaves.

Most of it with a training whose accuracy is a known function of the values; one search is real.
"""

import json
import math
import os
import socket
import subprocess
from pathlib import Path

import pytest

from mobilenet_tf.core.errors import Diverged, UserError
from mobilenet_tf.selection.plan import ALGORITHMS, Plan, Search, begin_search
from mobilenet_tf.selection.space import load_space
from mobilenet_tf.training.recipe import load_recipe
from tests.killing import COMMAND, kill_when

RECIPE = load_recipe("small_data").with_fields({"train.epochs": 18})
SPACE = """
model = ["v1"]
alpha = [0.25, 0.35, 0.5, 1.0]
size = [32, 64]
[train]
learning_rate = { min = 1e-4, max = 1e-1, log = true }
label_smoothing = [0.0, 0.1]
"""
LIMIT = 6_000_000


def accuracy(recipe, epochs: int) -> float:
    """Best at a rate of 0.003, and better with every epoch."""
    distance = abs(math.log10(recipe.train.learning_rate / 3e-3))
    return (0.95 - 0.3 * distance) * (1 - 0.5 ** (epochs / 4))


@pytest.fixture
def plan(tmp_path):
    """A function from an algorithm to a search over rate, smoothing and five of eight networks."""
    file = tmp_path / "space.toml"
    file.write_text(SPACE)
    space = load_space(file, RECIPE)
    return lambda algorithm: Plan("digits", 1, algorithm, RECIPE, space, {"macs": LIMIT}, seed=3)


@pytest.fixture
def search(monkeypatch):
    """The module with training replaced; `trained` has (run, spec, recipe, epochs) of each."""
    from mobilenet_tf.selection import tuner as module

    trained = []

    def begin(folder, source, spec, recipe, *others, **options):
        return folder, spec, recipe

    def trial_accuracy(job, until):
        trained.append((*job, until))
        return accuracy(job[2], until)

    monkeypatch.setattr(module, "begin", begin)
    monkeypatch.setattr(module, "trial_accuracy", trial_accuracy)
    module.trained = trained
    return module


def run(search, plan, out: Path, trials: int = 8, resume: bool = False) -> list[dict]:
    return search.run_search(begin_search(plan, out, resume=resume), trials)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_keeps_its_limit_and_its_number(search, plan, tmp_path, algorithm):
    begun = begin_search(plan(algorithm), tmp_path / "a")
    assert len(begun.networks) == 5  # of eight
    rows = search.run_search(begun, 8)
    assert len(rows) == len(search.trained) == 8
    assert max(row["macs"] for row in rows) <= LIMIT
    assert {row["network"] for row in rows} > {rows[0]["network"]}
    for row, (_, spec, recipe, epochs) in zip(rows, search.trained, strict=True):
        assert row["network"] == f"{spec.name} {spec.alpha} {spec.input.side}"
        assert row["validation_accuracy"] == pytest.approx(accuracy(recipe, epochs))
        assert row["fields"]["train.learning_rate"] == recipe.train.learning_rate
        assert recipe.train.epochs == 18
    assert [row["fields"] for row in run(search, plan(algorithm), tmp_path / "b")] == [
        row["fields"] for row in rows
    ]


def test_hyperband_continues_the_better_ones(search, plan, tmp_path):
    rows = run(search, plan("hyperband"), tmp_path / "a", trials=7)
    by_epochs = {n: [r for r in rows if r["epochs"] == n] for n in (5, 9, 18)}
    assert [len(found) for found in by_epochs.values()] == [4, 2, 1]
    for few, more in ((5, 9), (9, 18)):
        best = sorted(by_epochs[few], key=lambda row: -row["validation_accuracy"])
        promoted = [row["run"] for row in by_epochs[more]]
        # The same run goes on, with the same values.
        assert sorted(promoted) == sorted(row["run"] for row in best[: len(promoted)])
    (last,) = by_epochs[18]
    assert last["fields"] == next(r["fields"] for r in rows if r["run"] == last["run"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_interrupted_search_goes_on(search, plan, tmp_path, monkeypatch, algorithm):
    whole = search.trial_accuracy

    def interrupted(job, until):
        if len(search.trained) == 5:
            raise KeyboardInterrupt
        return whole(job, until)

    monkeypatch.setattr(search, "trial_accuracy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(search, plan(algorithm), tmp_path / "a")
    monkeypatch.setattr(search, "trial_accuracy", whole)
    before = [recipe for _, _, recipe, _ in search.trained]
    rows = run(search, plan(algorithm), tmp_path / "a", resume=True)
    assert len(rows) == len(search.trained) == 8
    assert [recipe for _, _, recipe, _ in search.trained[:5]] == before
    # More of a finished search.
    assert len(run(search, plan(algorithm), tmp_path / "a", trials=9, resume=True)) == 9
    assert len(search.trained) == 9


def test_a_trial_that_diverges_is_the_worst_and_other_errors_end_the_search(
    search, plan, tmp_path, monkeypatch
):
    whole, errors = search.trial_accuracy, [None, Diverged("The loss is not finite."), None, None]

    def failing(job, until):
        error = errors.pop(0) if errors else UserError("The disk is full.")
        if error:
            raise error
        return whole(job, until)

    monkeypatch.setattr(search, "trial_accuracy", failing)
    with pytest.raises(UserError, match="The disk is full"):
        run(search, plan("random"), tmp_path / "a")
    monkeypatch.setattr(search, "trial_accuracy", whole)
    rows = run(search, plan("random"), tmp_path / "a", trials=5, resume=True)
    assert [row["validation_accuracy"] == 0 for row in rows] == [False, True, *[False] * 3]


def test_what_a_search_leaves(search, plan, tmp_path):
    from mobilenet_tf.selection.outcome import write_outcome

    begun = begin_search(plan("random"), tmp_path / "a")
    base = load_recipe("small_data")
    result = write_outcome(begun, search.run_search(begun, 6), base)
    best = result["best"]
    assert best["validation_accuracy"] == max(r["validation_accuracy"] for r in result["trials"])
    winner = load_recipe(result["recipe"])
    # As long as the recipe that was begun with, not as a trial.
    assert winner == base.with_fields({"name": "best"} | best["fields"])
    assert f"--alpha {best['alpha']:g} --size {best['size']} --channels 1" in result["command"]
    assert f"--recipe {result['recipe']} --seed 3" in result["command"]
    assert Path(result["plot"]).read_bytes()[:4] == b"\x89PNG"
    kept = json.loads((tmp_path / "a" / "result.json").read_text())
    assert kept["best"] == best
    with pytest.raises(UserError, match="no finished trial"):
        write_outcome(Search(begun.run, begun.plan, begun.networks), [], base)


TUNE = [
    *(*COMMAND, "tune", "--model", "v1", "--alpha", "0.25"),
    *("--algorithm", "random", "--epochs", "2", "--set", "batch=64"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.xdist_group("tune")
def test_a_real_search_that_is_killed(tmp_path):
    """kill -9 in the second trial: the first is kept, the second goes on, files are whole."""
    out, space = tmp_path / "out", tmp_path / "space.toml"
    space.write_text(
        'model = ["v1"]\nalpha = [1.0]\nsize = [32]\nbatch = [64]\n'
        "train.learning_rate = { min = 2e-3, max = 8e-3, log = true }\n"
    )
    command = [*TUNE, "--space", str(space), "--trials", "2", "--out", str(out), "--json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        kill_when(process, 1, out / "trials" / "1" / "checkpoints" / "float.npz")
    first = json.loads((out / "oracle" / "trial_0" / "trial.json").read_text())
    weights = (out / "trials" / "0" / "float.keras").stat().st_mtime_ns
    done = subprocess.run(
        [*command, "--resume"], capture_output=True, text=True, check=False, env=os.environ
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


@pytest.mark.long
def test_a_chief_and_two_workers(tmp_path):
    """Three processes on loopback; each worker trains, and the chief has all results."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
    command = [*TUNE, "--trials", "4", "--out", str(tmp_path / "out"), "--json"]
    processes = {
        name: subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | place | {"KERASTUNER_TUNER_ID": name},
        )
        for name in ("chief", "one", "two")
    }
    said = {name: process.communicate(timeout=900) for name, process in processes.items()}
    for name, process in processes.items():
        assert process.returncode == 0, said[name][1]
    result = json.loads(said["chief"][0])
    assert [row["trial"] for row in result["trials"]] == list("0123")
    for name in ("one", "two"):
        assert "validation" in said[name][1]
        assert said[name][0] == ""
    assert "validation" not in said["chief"][1]
