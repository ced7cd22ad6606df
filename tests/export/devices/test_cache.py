"""The cache of measurements is a convenience: without it, everything is only measured again."""

import json
from pathlib import Path

import pytest

from mobilenet_tf.core.cache import cache_file
from mobilenet_tf.deployment.devices.cache import MeasurementCache
from mobilenet_tf.deployment.devices.mcu.table import McuTable
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.zoo import make_network

NETWORK = make_network("v1", 0.25, 32, 2)


def test_no_home(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_file("measured.json") is None
    cache = MeasurementCache("device")
    cache.add([{"a": 1.0}], 1, "Measuring")
    assert cache.values == {"a": 1.0}


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache = MeasurementCache("device")
    cache.add([{"a": 1.0}], 1, "Measuring")
    assert cache.values == {"a": 1.0}


@pytest.mark.parametrize(
    "text", ["", "[]", "[1", "null", '{"device": []}', '{"device": 3}', "[" * 100_000]
)
def test_a_damaged_file_is_replaced(tmp_path, text):
    file = tmp_path / "measured.json"
    file.write_text(text)
    cache = MeasurementCache("device", file)
    cache.add([{"a": 1.0}], 1, "Measuring")
    assert MeasurementCache("device", file).values == {"a": 1.0}


class Timer:
    name, lasting, quantity = "device", True, "latency"

    def measure(self, files):
        return dict.fromkeys(files, 1.0)


def test_times_without_their_pace_are_measured_again(tmp_path):
    file = tmp_path / "measured.json"
    parts = PartsTable(Timer(), path=file).measure([NETWORK])
    values = json.loads(file.read_text())
    (times,) = values.values()
    del times["pace"]
    file.write_text(json.dumps(values))
    table = PartsTable(Timer(), path=file)
    assert table.measure([NETWORK]) == parts > 1
    assert table.measure([NETWORK]) == 0


@pytest.mark.parametrize("damaged", [None, "fast", True, -1, [1], {}])
def test_damaged_entries_are_measured_again(tmp_path, damaged):
    file = tmp_path / "measured.json"
    table = PartsTable(Timer(), path=file)
    table.measure([NETWORK])
    latency = table.cost(NETWORK).latency
    values = json.loads(file.read_text())
    (times,) = values.values()
    times[next(name for name in times if name != "pace")] = damaged
    file.write_text(json.dumps(values))
    table = PartsTable(Timer(), path=file)
    assert table.measure([NETWORK]) == 1
    assert table.cost(NETWORK).latency == latency


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        3,
        {"flash": 1},
        {"latency": None, "flash": "x", "ram": 1, "macs": 1},
        {"latency": None, "flash": 1, "ram": None, "macs": 1},
    ],
)
def test_damaged_costs_are_measured_again(tmp_path, damaged, monkeypatch):
    file = tmp_path / "measured.json"
    table = McuTable("mcu", file)
    key = lower(NETWORK).key
    file.write_text(json.dumps({table.measured_on: {key: damaged}}))
    table = McuTable("mcu", file)
    assert key not in table.cache.values
