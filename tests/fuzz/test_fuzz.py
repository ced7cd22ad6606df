"""Damaged files give sentences: no traceback, no death of the reader, no delay, no flood.

Another first seed makes other mutants: `FUZZ_SEED=5000 make fuzz`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.run import read
from tests.fuzz.samples import valid

ROOT = Path(__file__).parents[2]
# Two commands, each with the time to load and to run, and to start the child.
SECONDS = 40


def fuzz(first, count):
    """Run the fuzz in a process of its own, whose death would be seen here."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", str(first), str(count)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert not found["faults"], "\n".join(found["faults"][:10])
    assert found["slowest"] < SECONDS
    assert found["peak"] < 1 << 30
    assert found["accepted"] + found["refused"] + found["crashed"] == 2 * count
    return found


def test_the_samples_are_valid(tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 50)).save(tmp_path / "picture.png")
    for name, content in valid().items():
        (tmp_path / name).write_bytes(content)
        assert read(tmp_path / name, tmp_path / "picture.png") == ["accepted"] * 2, name


def test_some_mutants():
    assert fuzz(0, 25)["refused"] > 0


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_many_mutants(part):
    fuzz(int(os.environ.get("FUZZ_SEED", "1000")) + part * 600, 600)
