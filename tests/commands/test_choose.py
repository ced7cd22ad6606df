"""`choose` on the command line, with its old names, and its trials."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from mobilenet_tf.cli.app import app
from mobilenet_tf.cli.budget import parse_budget, parse_device
from mobilenet_tf.commands.choose import Purpose, choose, training_command
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.tasks.registry import TASKS

BUDGET = ["--max-flash", "300KB", "--max-ram", "100KB", "--classes", "2"]


def invoke(*arguments: str):
    done = CliRunner().invoke(app, ["choose", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow
def test_one_json_object():
    result = json.loads(invoke("--device", "mcu", *BUDGET, "--json").strip().splitlines()[-1])
    assert result["device"] == "mcu"
    assert result["limits"] == {"flash": 300_000, "ram": 100_000}
    assert result["best"]["flash"] <= 300_000
    assert result["command"].startswith("mobilenet-tf run --data DIR --model ")
    assert result["command"] == training_command(result["best"])
    best = result["best"]
    assert result["command"].endswith(f"--model {best['model']} --alpha 0.25 --size {best['size']}")
    budget, purpose = Budget(flash=300_000, ram=100_000), Purpose(classes=2)
    assert choose(budget, device="mcu", purpose=purpose) == result
    # As a table, too, the command is on one line, however long.
    assert f"{result['command']}\n" in invoke("--device", "mcu", *BUDGET)
    # Old names.
    old = [word.replace("flash", "size") for word in BUDGET]
    assert json.loads(invoke("--target", "mcu", *old, "--json")) == result


@pytest.mark.parametrize("name", ["detection", "segmentation"])
def test_costs_are_those_of_networks_with_the_tasks_head(name):
    task = TASKS[name]()
    found = choose(Budget(macs=30_000_000), purpose=Purpose(task=task, classes=4))
    for row in (found.best, *found.pareto):
        network = task.framed(make_network(row["model"], row["alpha"], row["size"], 4))
        whole = task.with_head(network, 4)
        assert row["macs"] == count(whole).macs
        assert whole.head != network.head


def test_nothing_fits():
    text = invoke("--device", "mcu", "--max-flash", "5KB", "--classes", "2")
    assert "Nothing fits: flash would be exceeded" in text
    assert "bytes of flash, RAM" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", "2"], "give --data"),
        (["--adb", "--target", "mcu"], "different devices: mcu, phone"),
        (["--device", "mcus"], "device is 'mcus'"),
        (["--plot", "p.txt"], "p.txt cannot be drawn; its name must end in .png"),
        (["--max-size", "1KB", "--max-flash", "1KB"], "--max-size is an old name of --max-flash"),
        (["--max-size", "x"], "--max-size is 'x'; it must be a quantity"),
        (["--max-ram", "0"], "--max-ram is '0'"),
    ],
)
def test_wrong_options(arguments, message):
    done = CliRunner().invoke(app, ["choose", *arguments])
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)


def test_an_existing_plot_is_kept_unless_asked(tmp_path):
    plot = tmp_path / "budget.png"
    plot.write_bytes(b"somebody's")
    arguments = ["choose", "--device", "mcu", *BUDGET, "--plot", str(plot)]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(f"{plot} exists; use --overwrite to replace it")
    assert plot.read_bytes() == b"somebody's"
    with pytest.raises(UserError, match="exists; use --overwrite"):
        choose(device="mcu", plot=plot)
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_old_names():
    assert parse_budget(max_size="1KB", max_arena="2KB") == Budget(flash=1000, ram=2000)
    assert parse_budget(max_latency="2ms", max_macs="3M") == Budget(latency=2, macs=3_000_000)
    assert parse_device(None, False) == parse_device("cpu", False) == "cpu"
    assert parse_device(None, True) == parse_device(None, True, "cpu") == "phone"
    assert parse_device(None, False, "mcu") == parse_device("mcu", False, "mcu") == "mcu"
    with pytest.raises(UserError, match="different devices: cpu, phone"):
        parse_device("cpu", True)


@pytest.mark.slow
def test_trials_rank_by_accuracy(tmp_path):
    """The two best that fit are trained for an epoch, and the better one is recommended."""
    for index, (digit, label) in enumerate(
        zip(*load_digits(n_class=2, return_X_y=True), strict=True)
    ):
        picture = tmp_path / "data" / str(label) / f"{index}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digit * 15).astype(np.uint8)).save(picture)
    budget = ["--device", "mcu", "--max-flash", "260KB", "--max-ram", "42KB", "--channels", "1"]
    trials = ["--data", str(tmp_path / "data"), "--trials", "2", "--epochs", "1"]
    out = ["--out", str(tmp_path / "trials"), "--json"]
    result = json.loads(invoke(*budget, *trials, *out).strip().splitlines()[-1])
    reached = {trial["model"]: trial["validation_accuracy"] for trial in result["trials"]}
    assert set(reached) == {"v1", "v3_small_minimalistic"}
    first = result["trials"][0]
    assert first["validation_accuracy"] == max(reached.values())
    assert result["command"] == training_command(first, str(tmp_path / "data"), 1)
    assert all((Path(trial["run"]) / "float.keras").is_file() for trial in result["trials"])
