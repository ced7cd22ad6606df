"""Memory of a process and its children."""

import os
import subprocess
import sys
import time

import pytest

from mobilenet_tf.core import memory
from mobilenet_tf.core.memory import MemoryWatch, current_memory, peak_memory

BYTES = 200_000_000
CHILD = f"""
import sys
held = b"1" * {BYTES}
print(flush=True)
sys.stdin.read()
"""
GRANDCHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}])
sys.exit(child.wait())
"""
on_linux = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="only Linux says it")


def held_by(program: str) -> None:
    """Let a child hold memory for a while."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        time.sleep(3 * memory._INTERVAL)
        child.communicate()


@on_linux
@pytest.mark.parametrize("program", [CHILD, GRANDCHILD])
def test_children_count_while_they_run(program):
    before = current_memory()
    with MemoryWatch() as watch:
        held_by(program)
    assert watch.peak > before + 0.9 * BYTES
    assert current_memory() < before + 0.5 * BYTES


@on_linux
def test_libraries_of_children_do_not_count():
    before = current_memory()
    with MemoryWatch() as watch:
        held_by(CHILD.replace(str(BYTES), "1"))
    assert watch.peak < before + 0.2 * BYTES


def test_where_the_system_does_not_say_it(monkeypatch):
    monkeypatch.setattr(memory, "_pages", lambda process: (0, 0))
    with MemoryWatch() as watch:
        held_by(CHILD)
    assert watch.peak == peak_memory() > BYTES
