"""What surrounds a command: variables, home, cache, processor, clock, installed packages."""

import json
import re
from pathlib import Path

import pytest

from tests.reported import flat
from tests.reported.conftest import SMALL
from tests.reported.drive import call_apart, refused, succeeded
from tests.reported.models import describe, write
from tests.reported.test_searches import tune

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported runs")]

# Variables.


@pytest.mark.parametrize(
    "variables",
    [
        {"IP": "127.0.0.1"},
        {"IP": "127.0.0.1", "PORT": "8000"},
        {"IP": "127.0.0.1", "PORT": "x", "ID": "chief"},
        {"ID": "worker"},
    ],
    ids=str,
)
def test_half_an_environment_of_a_search_is_refused(variables, tmp_path, monkeypatch):
    names = {"IP": "ORACLE_IP", "PORT": "ORACLE_PORT", "ID": "TUNER_ID"}
    for name, value in variables.items():
        monkeypatch.setenv(f"KERASTUNER_{names[name]}", value)
    refused(tune(tmp_path, fields="train.patience = [3, 4]"), "KERASTUNER_")


TASK = '"task": {"type": "worker", "index": %s}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "1", "null", '{"cluster": 1}', '{"cluster": {"worker": "a:1"}}', "[" * 100_000),
        '{"cluster": {"worker": ["a:1"]}, %s}' % (TASK % "1e999"),
        '{"cluster": {"worker": "a:1"}, %s}' % (TASK % "0"),
        '{"cluster": {"worker": [1]}, %s}' % (TASK % "0"),
    ],
    ids=lambda text: text[:60],
)
def test_a_damaged_cluster_is_refused(text, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    options = ("--strategy", "multiworker", "--epochs", "1", "--out", tmp_path / "out")
    refused(call_apart("train", *options, seconds=60), "TF_CONFIG")


# The cache.

PATIENCE = "train.patience = [3, 4]"
TOO_FAST = ("--max-latency", "0.0001ms")


@pytest.mark.parametrize("home", ["a file", "nowhere"])
def test_measurements_do_without_a_home(home, tmp_path, monkeypatch):
    place = write(tmp_path / "file", b"") if home == "a file" else Path("/proc/nowhere")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(place))
    done = tune(tmp_path, *TOO_FAST, fields=PATIENCE)
    refused(done, "No network")


def cached(folder: Path, monkeypatch) -> Path:
    """Give a test a cache of its own; return the file of measurements in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return folder / "cache" / "mobilenet_tf" / "measured.json"


@pytest.mark.parametrize("entry", ["fast", None, {}, -1])
def test_a_damaged_entry_of_the_cache_is_measured_again(entry, tmp_path, monkeypatch):
    file = cached(tmp_path, monkeypatch)
    refused(tune(tmp_path, *TOO_FAST, fields=PATIENCE), "No network")
    table = json.loads(file.read_text())
    damaged = {place: dict.fromkeys(times, entry) for place, times in table.items()}
    file.write_text(json.dumps(damaged))
    refused(tune(tmp_path, *TOO_FAST, fields=PATIENCE), "No network")
    assert {place: set(times) for place, times in json.loads(file.read_text()).items()} == {
        place: set(times) for place, times in table.items()
    }
    assert entry not in next(iter(json.loads(file.read_text()).values())).values()


BOARD = """processor\t: 0
BogoMIPS\t: 108.00
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: {}
"""


def test_one_board_is_not_timed_for_another(tmp_path, monkeypatch):
    """Two boards with one home, as kernels for ARM describe them: without a model name."""
    file, read = cached(tmp_path, monkeypatch), Path.read_text
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("platform.processor", lambda: "")
    for part in ("0xd08", "0xd0b"):
        system = {"/proc/cpuinfo": BOARD.format(part)}

        def read_text(path, *args, system=system, **options):
            return system.get(str(path)) or read(path, *args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_text", read_text)
            refused(tune(tmp_path, *TOO_FAST, fields=PATIENCE), "No network")
    first, second = json.loads(file.read_text()).values()
    assert first.keys() == second.keys()


# The clock, and what is installed.

CLOCK = b"""import time
shown = time.localtime
time.time = lambda: 100.0 + time.monotonic() % 1000
time.localtime = lambda seconds=None: shown(time.time() if seconds is None else seconds)
"""


def test_a_clock_in_1970_costs_no_file(photos, tmp_path):
    write(tmp_path / "start" / "sitecustomize.py", CLOCK)
    clock = {"PYTHONPATH": str(tmp_path / "start")}
    succeeded(call_apart("train", "--data", photos, *SMALL, "--out", tmp_path / "out", env=clock))
    assert (tmp_path / "out" / "float.keras").is_file()


def test_a_fault_is_one_sentence_and_its_traceback_is_kept(tmp_path):
    """A package that is broken stands for all that nobody has thought of."""
    file = write(tmp_path / "file.tflite", describe(flat.dense(), "abcd"))
    write(tmp_path / "broken" / "flatbuffers.py", b"raise ZeroDivisionError('of all things')")
    env = {"PYTHONPATH": str(tmp_path / "broken"), "TMPDIR": str(tmp_path)}
    done = call_apart("inspect", file, env=env)
    assert done.code == 1
    assert "Traceback" not in done.err
    path = Path(re.search(r"report it with (\S+)\.$", done.err.strip())[1])
    assert "ZeroDivisionError: of all things" in path.read_text()
