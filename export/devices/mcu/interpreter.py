"""Run a `.tflite` in TensorFlow Lite Micro's own interpreter, as a microcontroller does."""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from mobilenet_tf.core.child import run_python
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import extra_version
from mobilenet_tf.deployment.tflite.memory_plan import ALIGNMENT

_GENEROUS = 64 << 20  # bytes of arena for looking at a file
_MOST_STEPS = 4096  # beyond what was recorded, before giving up
_REPORT = re.compile(rb"Arena allocation (total|head|tail) (\d+) bytes")


@dataclass(frozen=True)
class Arena:
    """Working memory of a file in bytes, measured on this 64-bit machine.

    Attributes:
        needed: the smallest arena, in steps of 16, in which the file was seen to run.
        activations: what of it changes from operator to operator.
        persistent: what stays: structures of the interpreter and of its kernels. Pointers
            are half as wide on a 32-bit microcontroller, so there it is less.
    """

    needed: int
    activations: int
    persistent: int


class MicroModel:
    """A file in TensorFlow Lite Micro.

    Args:
        data: bytes of a `.tflite` with int8 input and output.
        arena: bytes to run in.

    Raises:
        UserError: tflite-micro is not installed, or it refuses the file.
    """

    def __init__(self, data: bytes, arena: int = _GENEROUS):
        self._interpreter = _load(data, arena)
        self.input_shape = tuple(map(int, self._interpreter.get_input_details(0)["shape"]))

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Outputs (N, classes) for inputs (N, height, width, channels), both int8."""
        results = []
        for picture in inputs:
            self._interpreter.set_input(picture[None], 0)
            self._interpreter.invoke()
            results.append(self._interpreter.get_output(0).reshape(-1).copy())
        return np.stack(results)

    def report(self) -> dict[str, int]:
        """What the interpreter's recorder says of its arena: total, head and tail."""
        text = _listen(self._interpreter.print_allocations)
        return {name.decode(): int(size) for name, size in _REPORT.findall(text)}


def _load(data: bytes, arena: int):
    extra_version("tflite-micro")
    from tflite_micro import runtime

    text = b""
    try:
        with _quiet() as listen:
            try:
                return runtime.Interpreter.from_bytes(data, arena_size=arena)
            finally:
                text = listen()
    except RuntimeError as error:
        lines = text.decode("utf-8", "replace").strip().splitlines() or [str(error)]
        raise UserError(f"TensorFlow Lite Micro refuses the model: {lines[0]}") from error


def record_arena(data: bytes) -> Arena:
    """The memory that a file takes, as the interpreter's recorder has it.

    Raises:
        UserError: TensorFlow Lite Micro refuses the file.
    """
    model = MicroModel(data)
    model.run(np.zeros(model.input_shape, np.int8))
    found = model.report()
    return Arena(found["total"], found["head"], found["tail"])


def measure_arena(data: bytes) -> Arena:
    """The memory that a file needs: what was recorded, and proven by running in just that.

    In a process of its own, because the interpreter crashes in an arena that is far too small.

    Raises:
        UserError: TensorFlow Lite Micro refuses the file.
    """
    recorded = record_arena(data)
    # In steps of ALIGNMENT beyond what was recorded: allocating takes passing memory too.
    low, high = -1, 0
    while not _runs_in(data, recorded.needed + high * ALIGNMENT):
        if high > _MOST_STEPS:
            raise UserError(
                f"The model was recorded to need an arena of {recorded.needed} bytes and does not "
                f"run in {recorded.needed + high * ALIGNMENT}."
            )
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        works = _runs_in(data, recorded.needed + middle * ALIGNMENT)
        low, high = (low, middle) if works else (middle, high)
    return replace(recorded, needed=recorded.needed + high * ALIGNMENT)


def _runs_in(data: bytes, size: int) -> bool:
    return (
        run_python(
            "-m", "mobilenet_tf.deployment.devices.mcu.interpreter", str(size), input=data
        ).returncode
        == 0
    )


@contextmanager
def _quiet():
    """The native library prints to standard error; yield a function that returns what it said."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)

        def listen() -> bytes:
            file.seek(0)
            return file.read()

        try:
            yield listen
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _listen(speak: Callable[[], None]) -> bytes:
    with _quiet() as listen:
        speak()
        return listen()


if __name__ == "__main__":
    # `_runs_in`: the file on standard input, the arena's bytes as argument.
    small = MicroModel(sys.stdin.buffer.read(), int(sys.argv[1]))
    small.run(np.zeros(small.input_shape, np.int8))
