"""Searches: spaces of the wrong types, changed data, nothing learned."""

import shutil
from pathlib import Path

import pytest

from tests.reported.conftest import save_squares
from tests.reported.drive import Done, call, refused, succeeded
from tests.reported.models import write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported runs")]

NETWORK = 'model = ["v1"]\nalpha = [0.25]\nsize = [32]\n'


def tune(folder: Path, *options: object, fields: str = "", data: Path | str = "digits") -> Done:
    """Search a space of one network for one trial of one epoch, unless the options say more."""
    space = write(folder / "space.toml", (NETWORK + fields).encode())
    base = ("--algorithm", "random", "--trials", "1", "--epochs", "1", "--set", "batch=16")
    return call("tune", "--data", data, "--space", space, *base, *options, "--out", folder / "out")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("train.weight_decay = {min = 0.1, max = 1.0, log = 'false'}", "log is 'false'"),
        ("train.weight_decay = {min = 0.1, max = 1.0, log = 1}", "log is 1"),
        ("train.weight_decay = {}", "empty table"),
        ("[train]", "empty table"),
        ("train.weight_decay = {min = 0.1, max = inf}", "inf"),
        ("train.weight_decay = {min = -inf, max = 1.0}", "inf"),
        ("train.weight_decay = {min = nan, max = 1.0}", "nan"),
        ("train.weight_decay = {min = '0', max = '1'}", "weight_decay"),
        ("train.weight_decay = {min = true, max = 1}", "weight_decay"),
        ("batch = {min = 1.5, max = 8.5}", "batch"),
        ("batch = ['a', 'b']", "batch"),
    ],
)
def test_a_space_of_the_wrong_types_is_refused(fields, said, tmp_path):
    refused(tune(tmp_path, fields=fields), "space.toml", said)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("line", ["model = [1]", "alpha = ['x']", "size = [true]", "size = [32.5]"])
def test_networks_of_the_wrong_types_are_refused(line, tmp_path):
    rest = "".join(one for one in NETWORK.splitlines(True) if one.split()[0] != line.split()[0])
    space = write(tmp_path / "space.toml", f"{rest}{line}\n".encode())
    done = call("tune", "--space", space, "--trials", "1", "--out", tmp_path / "out")
    refused(done, "space.toml", line.split()[0])


def test_more_trials_than_configurations_are_refused(tmp_path):
    done = tune(tmp_path, "--trials", "3", fields="batch = [8, 16]")
    refused(done, "trials is 3", "2 configurations")


def test_no_trial_is_best_where_all_diverged(photos, tmp_path):
    steps = ("train.optimizer.name=sgd", "train.learning_rate=1e9", "train.clip_norm=0")
    diverging = [word for step in steps for word in ("--set", step)] + ["--epochs", "6"]
    done = tune(tmp_path, *diverging, fields="train.patience = [3, 4]", data=photos)
    refused(done, "learned")
    assert not (tmp_path / "out" / "best.toml").exists()


def test_a_search_is_not_resumed_on_other_pictures(photos, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    fields = "train.patience = [3, 4, 5]"
    succeeded(tune(tmp_path, fields=fields, data=data))
    for path in sorted((data / "red").iterdir())[:4]:
        path.rename(data / "green" / f"moved_{path.name}")
    refused(tune(tmp_path, "--resume", "--trials", "2", fields=fields, data=data), "not those")


@pytest.mark.long
def test_the_data_decide_how_many_classes_must_fit(tmp_path):
    """300 classes need more than the 300 KB that ten classes would leave room in."""
    for index in range(300):
        save_squares(tmp_path / "data" / f"{index:03}", (index % 256, index // 2, 90), 3)
    options = ("--device", "mcu", "--max-flash", "300KB", "--data", tmp_path / "data")
    trials = ("--trials", "1", "--epochs", "1", "--out", tmp_path / "out")
    assert succeeded(call("choose", *options, *trials, "--json")).json["best"] is None
    assert not (tmp_path / "out").exists()
