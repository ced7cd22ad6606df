"""Searches of several processes: who begins, who joins with other pictures, who comes second."""

import shutil
from pathlib import Path

import pytest

from tests.killing import free_port
from tests.reported.drive import at_work, call, call_apart, refused
from tests.reported.models import write
from tests.reported.test_searches import NETWORK

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("reported runs")]

ONE = ("--algorithm", "random", "--trials", "1", "--epochs", "1", "--set", "batch=16")


@pytest.fixture
def place() -> dict[str, str]:
    """keras-tuner's variables for a port that is free, all but the name of the process."""
    return {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": free_port()}


def name(place: dict[str, str], own: str) -> dict[str, str]:
    return place | {"KERASTUNER_TUNER_ID": own}


def search(folder: Path, data: Path) -> tuple[object, ...]:
    space = write(folder / "space.toml", (NETWORK + "train.patience = [3, 4]").encode())
    return ("tune", "--data", data, "--space", space, *ONE, "--out", folder / "out")


def test_a_worker_that_starts_before_its_chief(photos, place, tmp_path):
    command = search(tmp_path, photos)
    with at_work(*command, until=lambda: False, seconds=60, variables=name(place, "one")) as worker:
        assert worker.poll() is None
        chief = call_apart(*command, env=name(place, "chief"), seconds=240)
        assert chief.code == 0, chief.err
        assert worker.wait(60) == 0
    assert (tmp_path / "out" / "best.toml").is_file()


def test_a_worker_with_other_pictures_is_refused(photos, place, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    command, state = search(tmp_path, data), tmp_path / "out" / "oracle" / "oracle.json"
    with at_work(*command, until=state.exists, variables=name(place, "chief")) as chief:
        (data / "red").rename(data / "rose")
        worker = call_apart(*command, env=name(place, "one"), seconds=240)
        refused(worker)
        assert chief.poll() is None


def test_a_search_at_work_is_left_alone(photos, tmp_path):
    out = tmp_path / "out"
    space = write(tmp_path / "space.toml", (NETWORK + "train.patience = [3, 4]").encode())
    base = ("--data", photos, "--space", space, "--trials", "2", "--epochs", "4000")
    command = ("tune", *base, "--algorithm", "random", "--set", "batch=16", "--out", out)
    with at_work(*command, until=lambda: list(out.glob("trials/*/checkpoints/float.npz"))) as first:
        assert str(first.pid) in refused(call(*command, "--resume"), "in use by process")
        assert first.poll() is None
