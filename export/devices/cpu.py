"""What each part of each network costs on a machine: measured once, kept, reused.

A whole network is the sum of its parts; every file of its own costs a call, which is measured
on a file that does next to nothing and taken out of the parts. The machine is this one, or a
phone (`mobilenet_tf.deployment.devices.phone`).
"""

import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from mobilenet_tf.core.system import processor
from mobilenet_tf.deployment.devices.cache import Kept, Progress
from mobilenet_tf.deployment.tflite.from_graph import graph_file, phone_file_size
from mobilenet_tf.deployment.tflite.interpreter import load_interpreter
from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network

_ROUNDS = 40
# One mean over four pixels: next to nothing, to measure the cost of a call.
_CALL = Graph((Op("input", "image", (), (2, 2, 8)), Op("mean", "mean", ("image",), (1, 1, 8))))


class Machine(Protocol):
    """What runs int8 files on XNNPACK and has a clock.

    Attributes:
        name: whatever its times depend on: processor, runtime, threads.
    """

    name: str

    def times(self, files: dict[str, bytes]) -> dict[str, float]:
        """Milliseconds of each file."""


class ThisMachine:
    """The computer that this runs on.

    Args:
        threads: of the CPU.
    """

    def __init__(self, threads: int = 1):
        self.threads = threads
        self.clock = time.thread_time if threads == 1 else time.perf_counter
        self.name = f"{processor()}, litert {version('ai-edge-litert')}, {threads} threads"

    def times(self, files: dict[str, bytes]) -> dict[str, float]:
        """Medians; the files are called one after the other, as parts are in a network.

        Called again and again alone, a part would find its weights in the nearest cache.
        """
        runs = {name: runner(content, self.threads) for name, content in files.items()}
        found = {name: np.empty(_ROUNDS) for name in runs}
        for turn in range(-1, _ROUNDS):
            for name, run in runs.items():
                start = self.clock()
                run()
                if turn >= 0:
                    found[name][turn] = (self.clock() - start) * 1e3
        return {name: float(np.median(values)) for name, values in found.items()}


class LatencyTable:
    """What networks cost as phones run them, in int8 on XNNPACK.

    Args:
        machine: where their parts are timed.
        path: of the kept values; see `Kept`.
    """

    def __init__(self, machine: Machine, path: Path | None = None):
        self.machine = machine
        self.kept = Kept(machine.name, path)

    def measure(self, specs: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure what these networks need and the table has not; returns how many parts."""
        groups, seen = [], set(self.kept.values)
        for chain in ([_CALL], *(lower(spec).parts() for spec in specs)):
            group = {part.key: part for part in chain if part.key not in seen}
            seen |= set(group)
            groups += [group] if group else []
        found = (
            self.machine.times({k: graph_file(part, False) for k, part in group.items()})
            for group in groups
        )
        told = progress and (lambda *done: progress("Measuring latency", *done))
        self.kept.fill(found, len(groups), told)
        return sum(map(len, groups))

    def milliseconds(self, spec: Network) -> float:
        """Of a network whose parts have been measured, one picture."""
        times = self.kept.values
        call = times[_CALL.key]
        return call + sum(max(0.0, times[part.key] - call) for part in lower(spec).parts())

    def cost(self, spec: Network) -> dict:
        """latency in milliseconds; bytes of the file; ram: bytes of its activations."""
        size, ram = phone_file_size(spec)
        return {"latency": self.milliseconds(spec), "bytes": size, "ram": ram}


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
