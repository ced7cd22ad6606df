"""The CPU of this machine: run `.tflite` files on XNNPACK, as phones do, and time them."""

from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from mobilenet_tf.core.child import Child
from mobilenet_tf.core.system import known_processor, processor
from mobilenet_tf.deployment.tflite.guard import GuardedInterpreter, load_interpreter
from mobilenet_tf.deployment.tflite.server import random_input, run_clock

_ROUNDS = 40


class Cpu:
    """A `Meter` of this machine's latency.

    Args:
        threads: Number of CPU threads.
    """

    quantity = "latency"

    def __init__(self, threads: int = 1):
        self.threads = threads
        self.clock = run_clock(threads)
        self.name = f"{processor()}, litert {version('ai-edge-litert')}, {threads} threads"
        self.lasting = bool(known_processor())

    def lower_bound(self, macs: int) -> None:
        """Return None: no time is known before it is measured."""

    def measure(self, files: dict[str, bytes]) -> dict[str, float]:
        """Return the median milliseconds of each file.

        The files are run one after the other, as the parts of a network are. Run repeatedly on
        its own, a part would find its weights in the fastest cache.
        """
        runs = {
            name: runner(content, self.threads, trusted=True) for name, content in files.items()
        }
        found = {name: np.empty(_ROUNDS) for name in runs}
        for turn in range(-1, _ROUNDS):
            for name, run in runs.items():
                start = self.clock()
                run()
                if turn >= 0:
                    found[name][turn] = (self.clock() - start) * 1e3
        return {name: float(np.median(values)) for name, values in found.items()}


class InChild:
    """Runs a `.tflite` on random pixels in a child process, which times it.

    Args:
        content: The file.
        name: What errors call the file.
        threads: Number of CPU threads.
        child: A process that holds other files; None starts one.
    """

    def __init__(self, content: bytes, name: str, threads: int = 1, child: Child | None = None):
        self._interpreter = GuardedInterpreter(content, name, threads, child=child)
        self._interpreter.fill()
        self.seconds = self._interpreter.seconds

    def __call__(self) -> None:
        """Run the file once."""
        self.seconds(1)


def runner(content: bytes, threads: int = 1, *, trusted: bool = False) -> Callable[[], None]:
    """Return a function that runs a `.tflite` file once on random pixels.

    Args:
        content: The file.
        threads: Number of CPU threads.
        trusted: Whether this process made the file itself, so that it may run here.
    """
    if not trusted:
        return InChild(content, "The model", threads)
    interpreter = load_interpreter(content, "The model", threads, trusted=True)
    random = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        values = random_input(random, detail["shape"], detail["dtype"])
        interpreter.set_tensor(detail["index"], values)
    return interpreter.invoke
