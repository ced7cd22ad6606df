"""What each part of each network costs on this machine: measured once, kept, reused.

The table is keyed by processor, runtime and threads, so a kept value is never another machine's.
A whole network is the sum of its parts; every file of its own costs a call, which is measured
on a file that does next to nothing and taken out of the parts.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from export.runtime import load_interpreter
from export.synthetic import Part, chain_file, parts
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.run_folder import write_text

_ROUNDS = 40
_KEEP_EVERY = 10  # networks between writes of the table
_CALL = Part("least", 2, 8)


def cache_file() -> Path:
    """Where the table is kept: `latency.json` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mobilenet_tf" / "latency.json"


class LatencyTable:
    """Milliseconds of parts, in int8 as phones run them (XNNPACK).

    Args:
        threads: of the CPU.
        path: of the kept table; `cache_file()` if not given.
    """

    def __init__(self, threads: int = 1, path: Path | None = None):
        self.path = path or cache_file()
        self.threads = threads
        self.clock = time.thread_time if threads == 1 else time.perf_counter
        self.machine = f"{processor()}, litert {version('ai-edge-litert')}, {threads} threads"
        self._known: dict[str, float] = self._read().get(self.machine, {})

    def _read(self) -> dict:
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # absent or damaged: measured again

    def measure(
        self, specs: Iterable[ModelSpec], progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Measure what these networks need and the table has not; returns how many parts."""
        groups, seen = [], set(self._known)
        for chain in ([_CALL], *map(parts, specs)):
            group = {_key(part): part for part in chain if _key(part) not in seen}
            seen |= set(group)
            groups += [group] if group else []
        for done, group in enumerate(groups, start=1):
            runs = {
                name: runner(chain_file([part], fused=False), self.threads)
                for name, part in group.items()
            }
            self._known |= self._in_rotation(runs)
            if done % _KEEP_EVERY == 0 or done == len(groups):
                self._write()
            if progress:
                progress(done, len(groups))
        return sum(map(len, groups))

    def _in_rotation(self, runs: dict[str, Callable[[], None]]) -> dict[str, float]:
        """Milliseconds of parts that are called one after the other, as in a network.

        Called again and again alone, a part would find its weights in the nearest cache.
        """
        found = {name: np.empty(_ROUNDS) for name in runs}
        for turn in range(-1, _ROUNDS):
            for name, run in runs.items():
                start = self.clock()
                run()
                if turn >= 0:
                    found[name][turn] = (self.clock() - start) * 1e3
        return {name: float(np.median(values)) for name, values in found.items()}

    def _write(self) -> None:
        table = self._read() | {self.machine: self._known}
        write_text(self.path, json.dumps(table, indent=1) + "\n")

    def milliseconds(self, spec: ModelSpec) -> float:
        """Of a network whose parts have been measured, one picture."""
        call = self._known[_key(_CALL)]
        return call + sum(max(0.0, self._known[_key(part)] - call) for part in parts(spec))


def runner(content: bytes, threads: int = 1) -> Callable[[], None]:
    """A function that runs a file once on random pixels."""
    interpreter = load_interpreter(content, "The model", threads)
    random = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], detail["dtype"]
        floats = np.issubdtype(dtype, np.floating)
        values = random.random(shape) if floats else random.integers(0, 100, shape)
        interpreter.set_tensor(detail["index"], values.astype(dtype))
    return interpreter.invoke


def processor() -> str:
    """The name of the CPU."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _key(part: Part) -> str:
    """A part in one line, the same in every session."""
    row = part.row
    block = "" if row is None else f"{row.kernel}x{row.expansion}-{row.out}s{row.stride}"
    extra = "" if row is None else f"{'se' if row.se else ''}{row.activation}"
    widths = "-".join(map(str, part.widths))
    joined = "+" if part.residual else ""
    return f"{part.kind} {part.side}x{part.channels} {block}{extra}{widths}{joined} " + str(
        part.activation or ""
    )
