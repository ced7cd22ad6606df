"""Damaged files give sentences: no traceback, no death of the reader, no delay, no flood.

This is the short form; `make fuzz` reads thousands, and other ones with another FUZZ_SEED.
"""

import sys

import pytest

from mobilenet_tf import inspect, predict
from tests.fuzz import driver, kinds
from tests.fuzz.picture_samples import pictures
from tests.fuzz.tflite_samples import valid
from tests.slow import slow_but

# The states of searches and checkpoints have tests of their own, without the start of TensorFlow.
COUNTS = {"tflite": 6, "images": 4, "texts": 60, "runs": 6, "models": 12}


def test_the_samples_are_valid(tmp_path):
    image = kinds.picture(tmp_path)
    for name, content in valid().items():
        (tmp_path / name).write_bytes(content)
        inspect(tmp_path / name)
        assert predict(tmp_path / name, [image])["predictions"], name
    paths = []
    for name, content in pictures().items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    assert len(predict(tmp_path / "v1", paths)["predictions"]) == len(paths)


@pytest.mark.parametrize("kind", slow_but(["tflite", "images", "texts"], COUNTS))
def test_some_mutants(kind):
    report = driver.fuzz(kind, 0, COUNTS[kind])
    assert not report.problems(), "\n".join(report.problems()[:10])
    assert report.found["mutants"] >= COUNTS[kind]
    assert report.found["refused"] > 0
    assert report.peak > 0


READER = """
import json, os, sys, time
for seed in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3])):
    print(json.dumps({"seed": seed}), flush=True)
    if seed == 1:
        os.abort()
    if seed == 4:
        time.sleep(600)
    fault = "ZeroDivisionError" if seed == 2 else None
    print(json.dumps({"found": {"mutants": 1}, "seconds": 9.0 * (seed == 3), "fault": fault}))
print(json.dumps({"peak": 2**31}))
"""


def test_deaths_faults_delays_and_floods_are_problems(monkeypatch, tmp_path):
    """And the mutants behind one that ends the reader are read."""
    (tmp_path / "reader.py").write_text(READER)
    monkeypatch.setattr(driver, "READER", [sys.executable, str(tmp_path / "reader.py")])
    monkeypatch.setattr(driver, "SECONDS", 1)
    report = driver.fuzz("any", 0, 6)
    assert report.found["mutants"] == 6
    assert report.problems() == [
        "any 1: the process ended with -6",
        "any 2: ZeroDivisionError",
        "any 4: the process ended with -9",
        "any: an answer after 9 seconds",
        "any: 2,147,483,648 bytes of memory",
    ]
