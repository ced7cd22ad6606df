"""Start the reading process, watch it, and start it again behind a mutant that ended it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Of one mutant: three commands, each with the time to start the child, to load and to run.
SECONDS = 60
MEMORY = 1 << 30  # bytes of the reading process
READER = [sys.executable, "-m", "tests.fuzz.run"]
_START = 300  # seconds to import TensorFlow and to make the samples


@dataclass
class Report:
    """What became of the mutants of one kind.

    Attributes:
        kind: See `kinds`.
        found: mutants; and outcomes of commands: accepted, refused, crashed (in the child).
        faults: Seed and cause of each.
        slowest: Seconds of the slowest mutant.
        peak: Largest memory of the reading process in bytes.
    """

    kind: str
    found: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0

    def problems(self) -> list[str]:
        """Return everything that must not be."""
        found = list(self.faults)
        if self.slowest > SECONDS:
            found.append(f"{self.kind}: an answer after {self.slowest:.0f} seconds")
        if self.peak > MEMORY:
            found.append(f"{self.kind}: {self.peak:,} bytes of memory")
        return found


def fuzz(kind: str, first: int, count: int) -> Report:
    """Read `count` mutants in a process of its own."""
    report, seed, end = Report(kind), first, first + count
    while seed < end:
        seed = _read(report, seed, end) + 1
    return report


def _read(report: Report, first: int, end: int) -> int:
    """Read mutants until the last, or one that ends the process; return its seed."""
    process = subprocess.Popen(
        [*READER, report.kind, str(first), str(end - first)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    reader.start()
    seed, watch = first - 1, _Watch(process)
    for line in process.stdout:
        watch.wait(2 * SECONDS)
        facts = json.loads(line)
        seed = facts.get("seed", seed)
        report.found.update(facts.get("found", {}))
        report.slowest = max(report.slowest, facts.get("seconds", 0.0))
        report.peak = max(report.peak, facts.get("peak", 0))
        if facts.get("fault"):
            report.faults.append(f"{report.kind} {seed}: {facts['fault']}")
    code = process.wait()
    reader.join()
    if code == 0:
        return end
    if seed < first:
        report.faults.append(f"{report.kind} cannot start: {''.join(errors)[-3000:]}")
        return end
    report.faults.append(f"{report.kind} {seed}: the process ended with {code}")
    report.found.update(mutants=1)
    return seed


class _Watch:
    """Kills a process that says nothing for too long."""

    def __init__(self, process: subprocess.Popen):
        self.process = process
        self.wait(_START)
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait this long from now on."""
        self.until = time.monotonic() + seconds

    def _run(self) -> None:
        while self.process.poll() is None:
            if time.monotonic() > self.until:
                self.process.kill()
            time.sleep(0.5)
