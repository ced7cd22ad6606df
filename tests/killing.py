"""Runs that are killed, or share a search: started, watched through their files, ended."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests import warm


def command(*arguments: object) -> list[str]:
    """The command line with a short network, without the time that TensorFlow takes to start."""
    return warm.command("-m", "tests.short", *map(str, arguments))


def epochs_done(checkpoint: Path) -> int:
    """What a checkpoint says; it can be read at any moment, because it is replaced whole."""
    if not checkpoint.exists():
        return 0
    with np.load(checkpoint) as file:
        return json.loads(str(file["facts"]))["epoch"]


def wait_until(process: subprocess.Popen, reached: Callable[[], object]) -> None:
    """Wait for a process that is to be killed while it works, for five minutes at most."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None and not reached():
        time.sleep(0.05)


def kill_when(process: subprocess.Popen, epochs: int, checkpoint: Path, wait: float = 0.0) -> None:
    """kill -9, `wait` seconds after the checkpoint says that so many epochs are done."""
    wait_until(process, lambda: epochs_done(checkpoint) >= epochs)
    time.sleep(wait)
    assert process.poll() is None, process.stderr.read()
    kill(process)


def kill(process: subprocess.Popen) -> None:
    """kill -9 a process whose standard error is a pipe, and wait until it writes no more."""
    process.kill()
    process.communicate()


def free_port() -> str:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def together(words: list[str]) -> dict[str, tuple[str, str]]:
    """Run a search as `chief` and the workers `one` and `two`; return what each printed."""
    place = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": free_port()}
    processes = {
        name: subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | place | {"KERASTUNER_TUNER_ID": name},
        )
        for name in ("chief", "one", "two")
    }
    output = {name: process.communicate(timeout=900) for name, process in processes.items()}
    for name, process in processes.items():
        assert process.returncode == 0, output[name][1]
    return output


def assert_same_weights(one: Path, other: Path) -> None:
    """Two run folders' last and best weights, bit by bit."""
    checkpoints = sorted(path.name for path in (one / "checkpoints").iterdir())
    assert checkpoints == sorted(path.name for path in (other / "checkpoints").iterdir())
    for name in checkpoints:
        left, right = (np.load(run / "checkpoints" / name) for run in (one, other))
        assert left.files == right.files
        for key in left.files:
            if key != "facts":  # which has seconds
                np.testing.assert_array_equal(left[key], right[key], f"{name}: {key}")
