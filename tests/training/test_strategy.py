"""Training on several devices and workers gives what one device gives; by the command line."""

import json
import os
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests import warm
from tests.killing import epochs_done, kill_when

pytestmark = pytest.mark.xdist_group("strategy")

EPOCHS = 6
TRAIN = ("tests.training.tiny", "train", "--epochs", str(EPOCHS), "--batch", "48",
         "--set", "train.ema=0.9")  # fmt: skip


def start(*arguments, **variables) -> subprocess.Popen:
    command = warm.command("-m", *TRAIN, *map(str, arguments))
    environment = os.environ | variables
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def ends(process: subprocess.Popen, code: int = 0) -> str:
    _, said = process.communicate(timeout=400)
    assert process.returncode == code, said
    return said


def cluster(folder: Path, *arguments) -> list[subprocess.Popen]:
    """Start two workers on this machine; the first is the chief."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(2)]
    workers = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [
        start("--strategy", "multiworker", "--out", folder, *arguments,
              TF_CONFIG=json.dumps({"cluster": {"worker": workers},
                                    "task": {"type": "worker", "index": index}}),
              TMPDIR=str(folder.parent))
        for index in range(2)
    ]  # fmt: skip


def curves(folder: Path) -> dict[str, list[float]]:
    return json.loads((folder / "result.json").read_text())["history"]["float"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, list[float]]:
    """The training curves of a single device."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    ends(start("--out", folder))
    return curves(folder)


def assert_same_curves(found: dict, expected: dict) -> None:
    assert len(found["loss"]) == EPOCHS
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-3)
    # Only a single device applies Bessel's correction to the moving variance.
    np.testing.assert_allclose(found["val_loss"], expected["val_loss"], rtol=1e-2)


@pytest.mark.slow
def test_two_devices_train_like_one(alone, tmp_path):
    ends(start("--strategy", "mirrored", "--out", tmp_path / "run", TINY_CPUS="2"))
    assert_same_curves(curves(tmp_path / "run"), alone)


@pytest.mark.long
def test_workers_that_are_killed_again_and_again(alone, tmp_path):
    """Kill the worker and the chief in turn; restart both each time."""
    folder = tmp_path / "run"
    for epochs, killed in ((1, 1), (2, 0), (4, 1)):
        pair = cluster(folder, "--resume")
        kill_when(pair[killed], epochs, folder / "checkpoints" / "float.npz")
        ends(pair[1 - killed], 75)
    for process in cluster(folder, "--resume"):
        ends(process)
    assert_same_curves(curves(folder), alone)


@pytest.mark.slow
def test_two_workers_train_like_one_though_one_is_killed(alone, tmp_path):
    folder = tmp_path / "run"
    chief, worker = cluster(folder)
    kill_when(worker, 1, folder / "checkpoints" / "float.npz")
    said = ends(chief, 75)
    assert (
        "The connection to another worker was lost. Start all workers again with --resume" in said
    )
    done = epochs_done(folder / "checkpoints" / "float.npz")
    assert 1 <= done < EPOCHS
    assert not (folder / "float.keras").exists()
    for process in cluster(folder, "--resume"):
        said = ends(process)
        assert f"{done + 1}/{EPOCHS}" in said
        assert f" {done}/{EPOCHS}" not in said
    assert_same_curves(curves(folder), alone)
    # Only the chief leaves a run folder.
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith("mobilenet_tf")}
    assert len(left) <= 1, "only the killed worker's temporary folder"
