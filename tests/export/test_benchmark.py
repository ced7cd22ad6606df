"""Benchmark: what it reports is complete and comes from the files; times are not asserted."""

import os
import stat

import numpy as np
import pytest

from export.adb import benchmark_phone
from export.benchmark import benchmark, only
from export.runtime import TFLiteModel
from export.timing import SLICE, interleaved, summary
from mobilenet_tf.errors import UserError


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
    from export.runtime import load_interpreter

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
    assert summary(np.arange(11.0))["median_ms"] == 5


def test_errors_are_one_sentence(files, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        benchmark([tmp_path / "absent.tflite"])
    with pytest.raises(UserError, match="threads is 0"):
        benchmark([files.int8], (0,))
    with pytest.raises(UserError, match="named twice"):
        benchmark([files.int8, files.int8])


ADB = """#!/bin/sh
case "$1" in
  devices) printf 'List of devices attached\\nserial1\\tdevice\\n%s' "$EXTRA" ;;
  push) ;;
  shell) case "$2" in
    test*) echo "$TOOL" ;;
    *) echo "$2" >> "$LOG"; echo "Inference timings in us: Init: 9, Inference (avg): 1234.5"
       echo "Memory footprint delta from the start: init=1.0 overall=2.5" ;;
  esac ;;
esac
"""


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """A program named adb that answers as a phone with benchmark_model does."""
    adb = tmp_path / "bin" / "adb"
    adb.parent.mkdir()
    adb.write_text(ADB)
    adb.chmod(adb.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{adb.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TOOL", "yes")
    monkeypatch.setenv("EXTRA", "")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def test_a_phone_is_asked_for_its_time(files, phone):
    result = benchmark_phone([files.int8], threads=2, runs=7)
    assert result == [
        {
            "file": str(files.int8),
            "threads": 2,
            "mean_ms": 1.2345,
            "peak_memory_bytes": int(2.5 * 1024**2),
        }
    ]
    assert "--num_threads=2 --num_runs=7" in phone.read_text()


def test_a_phone_without_the_tool_or_too_many_phones(files, phone, monkeypatch):
    monkeypatch.setenv("TOOL", "")
    with pytest.raises(UserError, match="push TensorFlow Lite's benchmark_model"):
        benchmark_phone([files.int8])
    monkeypatch.setenv("EXTRA", "serial2\tdevice\n")
    with pytest.raises(UserError, match="adb lists 2"):
        benchmark_phone([files.int8])


def test_no_adb(files, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="there is none"):
        benchmark_phone([files.int8])
