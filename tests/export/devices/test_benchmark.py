"""Benchmark: the report is complete and its facts are those of the files; no times are asserted."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.benchmark import benchmark, only
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.devices.phone import Phone, benchmark_phone
from mobilenet_tf.deployment.devices.timing import SLICE, interleaved, percentiles
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.zoo import make_network
from tests.fake_phone import connect


def test_files_side_by_side(files):
    seen = []
    result = benchmark(
        [files.int8, files.swish], (1, 2), rounds=3, progress=lambda *done: seen.append(done)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    first, second = result["files"]
    assert first["bytes"] == files.int8.stat().st_size
    assert set(first["threads"]) == set(second["threads"]) == {"1", "2"}
    assert first["threads"]["1"]["ratio"] == 1
    for file in (first, second):
        for timed in file["threads"].values():
            assert 0 < timed["p10_ms"] <= timed["median_ms"] <= timed["p90_ms"]
    assert second["ops"]["HARD_SWISH"]["count"] == 1
    assert "HARD_SWISH" not in first["ops"]
    assert first["ops"]["CONV_2D"]["ms"] > 0
    assert second["partitions"] > first["partitions"]
    assert first["peak_memory_bytes"] is None or first["peak_memory_bytes"] > 0


def test_an_operator_alone_computes_what_it_does_in_the_file(files):
    content = files.int8.read_bytes()
    whole = TFLiteModel(content, delegate=False, preserve_tensors=True)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    first = next(iter(whole.activations(pixels).values()))[1]
    from mobilenet_tf.deployment.tflite.guard import load_interpreter

    alone = load_interpreter(only(content, 0), "The operator", delegate=False)
    alone.set_tensor(alone.get_input_details()[0]["index"], whole.prepare(pixels))
    alone.invoke()
    np.testing.assert_array_equal(alone.get_tensor(alone.get_output_details()[0]["index"]), first)


def test_rounds_are_interleaved():
    order = []
    clock = iter(np.arange(0, 10_000, SLICE * 2)).__next__
    runs = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    found = interleaved(runs, 3, clock=clock)
    measured = "".join(order).replace("aaaa", "", 1).replace("bbbb", "", 1)
    # However often a turn repeats: a, b, a, b, a, b.
    turns = [name for i, name in enumerate(measured) if i == 0 or measured[i - 1] != name]
    assert turns[-6:] == ["a", "b"] * 3
    assert found["a"].shape == (3,)
    assert percentiles(np.arange(11.0))["median_ms"] == 5


def test_errors_are_one_sentence(files, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        benchmark([tmp_path / "absent.tflite"])
    with pytest.raises(UserError, match="threads is 0"):
        benchmark([files.int8], (0,))
    for measure in (benchmark, benchmark_phone):
        with pytest.raises(UserError, match="given twice"):
            measure([files.int8, files.int8])


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """The log of a phone with benchmark_model."""
    return connect(tmp_path, monkeypatch)


def test_a_phone_measures_files_in_turn(files, phone):
    result = benchmark_phone([files.int8, files.swish], threads=(2, 1), runs=35)
    assert result["processor"] == "Fake 9, benchmark_model, 2 threads"
    first, second = result["files"]
    timed = {"median_ms": 1.2345, "p10_ms": 1.2345, "p90_ms": 1.2345, "ratio": 1.0}
    assert first["threads"] == second["threads"] == {"2": timed, "1": timed}
    assert first["peak_memory_bytes"] == int(2.5 * 1024**2)
    assert first["bytes"] == files.int8.stat().st_size
    assert first["ops"] == {
        "Convolution (NHWC, QC8) IGEMM": {"count": 3, "ms": 1.1},
        "Add (ND, QS8)": {"count": 1, "ms": 0.1},
    }
    calls = [line for line in phone.read_text().splitlines() if "benchmark_model --graph" in line]
    runs = [line.split("--num_threads=")[1][:15] for line in calls if "profiling" not in line]
    assert runs == ["2 --num_runs=7 ", "1 --num_runs=7 "] * 2 * result["rounds"]
    assert sum("--enable_op_profiling=true" in line for line in calls) == 2


def test_a_phone_with_the_app_only(files, phone, monkeypatch):
    monkeypatch.setenv("TOOL", "")
    monkeypatch.setenv("APP", "package:mobilenet.tf.demo")
    result = benchmark_phone([files.int8], runs=35)
    assert result["processor"] == "Fake 9, demo app, 1 threads"
    assert result["files"][0]["threads"]["1"]["median_ms"] == 0.75
    assert result["files"][0]["ops"] == {}
    assert "--es model mobilenet_tf_benchmark --ei runs 7 --ei threads 1" in phone.read_text()
    monkeypatch.setenv("REFUSES", "yes")
    with pytest.raises(UserError, match="adb shell failed: run-as: package not debuggable"):
        benchmark_phone([files.int8])


def test_costs_with_the_latency_of_a_phone(phone, tmp_path):
    network = make_network("v1", 0.25, 32, 10)
    table = PartsTable(Phone(4), path=tmp_path / "cache.json")
    table.measure([network])
    # Every file takes as long as the call alone, so the parts take nothing.
    assert table.total(network) == 1.2345
    assert PartsTable(Phone(4), path=tmp_path / "cache.json").measure([network]) == 0
    assert PartsTable(Phone(2), path=tmp_path / "cache.json").measure([network]) > 0


@pytest.mark.parametrize("option", [["--device", "phone"], ["--adb"]])
def test_the_command_measures_on_a_phone(files, phone, option):
    from mobilenet_tf.cli.app import app

    done = CliRunner().invoke(app, ["benchmark", str(files.int8), *option, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["processor"] == "Fake 9, benchmark_model, 1 threads"


def test_a_phone_that_cannot_measure(files, phone, monkeypatch):
    monkeypatch.setenv("TOOL", "")
    with pytest.raises(UserError, match="neither /data/local/tmp/benchmark_model"):
        benchmark_phone([files.int8])
    monkeypatch.setenv("TOOL", "yes")
    Path(os.environ["OUTPUT"]).write_text("ERROR: Failed to load model\n")
    with pytest.raises(UserError, match=r"gives no time for .*int8\.tflite\.$"):
        benchmark_phone([files.int8])
    monkeypatch.setenv("EXTRA", "serial2\tdevice\n")
    with pytest.raises(UserError, match="adb lists 2"):
        benchmark_phone([files.int8])


def test_no_adb(files, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="there is none"):
        benchmark_phone([files.int8])


def test_standard_output_is_nothing_but_json(files):
    from mobilenet_tf.cli.app import app

    arguments = ["benchmark", str(files.int8), "--threads", "1,2", "--rounds", "2", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["files"][0]["threads"]) == {"1", "2"}
    done = CliRunner().invoke(app, ["benchmark", str(files.int8), "--threads", "one"])
    assert "threads is 'one'; it must be values such as 1,2,4" in str(done.exception)
