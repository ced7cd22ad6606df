"""The CPU of this machine: run `.tflite` files on XNNPACK, as phones do, and time them."""

import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from mobilenet_tf.core.system import processor
from mobilenet_tf.deployment.tflite.interpreter import load_interpreter

_ROUNDS = 40


class Cpu:
    """A `Timer` for this machine.

    Args:
        threads: Number of CPU threads.
    """

    def __init__(self, threads: int = 1):
        self.threads = threads
        self.clock = time.thread_time if threads == 1 else time.perf_counter
        self.name = f"{processor()}, litert {version('ai-edge-litert')}, {threads} threads"

    def times(self, files: dict[str, bytes]) -> dict[str, float]:
        """Return the median milliseconds of each file.

        The files are run one after the other, as the parts of a network are. Run repeatedly on
        its own, a part would find its weights in the fastest cache.
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


def runner(content: bytes, threads: int = 1) -> Callable[[], None]:
    """Return a function that runs a `.tflite` file once on random pixels."""
    interpreter = load_interpreter(content, "The model", threads)
    random = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], detail["dtype"]
        floats = np.issubdtype(dtype, np.floating)
        values = random.random(shape) if floats else random.integers(0, 100, shape)
        interpreter.set_tensor(detail["index"], values.astype(dtype))
    return interpreter.invoke
