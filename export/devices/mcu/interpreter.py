"""Run a `.tflite` in TensorFlow Lite Micro's own interpreter, as a microcontroller does."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mobilenet_tf.core.child import run_python
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.outputs import Outputs, joined, values_of
from mobilenet_tf.core.packages import require
from mobilenet_tf.deployment.tflite.memory_plan import ALIGNMENT
from mobilenet_tf.deployment.tflite.parse import parse_model

_LARGE_ARENA = 64 << 20  # bytes, for looking at a file
_MOST_STEPS = 4096  # steps of ALIGNMENT beyond the recorded size, before giving up
_REPORT = re.compile(rb"Arena allocation (total|head|tail) (\d+) bytes")


@dataclass(frozen=True)
class Arena:
    """Working memory of a file in bytes, measured on this 64-bit machine.

    Attributes:
        needed: The smallest arena, in steps of 16, in which the file was seen to run.
        activations: The part that changes from operator to operator.
        persistent: The part that stays: structures of the interpreter and of its kernels. It is
            smaller on a 32-bit microcontroller, whose pointers are half as wide.
    """

    needed: int
    activations: int
    persistent: int


class MicroModel:
    """A file in TensorFlow Lite Micro.

    Args:
        data: A `.tflite` with int8 input and output.
        arena: Size of the arena in bytes.

    Raises:
        UserError: tflite-micro is not installed, or it refuses the file.
    """

    def __init__(self, data: bytes, arena: int = _LARGE_ARENA):
        self._interpreter = _load(data, arena)
        self.input_shape = tuple(map(int, self._interpreter.get_input_details(0)["shape"]))
        self._outputs = len(parse_model(data).subgraphs[0].outputs)

    def run(self, inputs: np.ndarray) -> Outputs:
        """Return outputs for inputs (N, height, width, channels), all int8."""
        results = []
        for picture in inputs:
            self._interpreter.set_input(picture[None], 0)
            self._interpreter.invoke()
            results.append([self._interpreter.get_output(i).copy() for i in range(self._outputs)])
        return joined([values_of(arrays) for arrays in results])

    def report(self) -> dict[str, int]:
        """Return the sizes that the interpreter recorded for its arena: total, head and tail."""
        text = _captured(self._interpreter.print_allocations)
        return {name.decode(): int(size) for name, size in _REPORT.findall(text)}


def _load(data: bytes, arena: int) -> Any:
    require("Running a file as a microcontroller does", "tflite-micro")
    from tflite_micro import runtime

    text = b""
    try:
        with _captured_errors() as output:
            try:
                return runtime.Interpreter.from_bytes(data, arena_size=arena)
            finally:
                text = output()
    except RuntimeError as error:
        lines = text.decode("utf-8", "replace").strip().splitlines() or [str(error)]
        raise UserError(f"TensorFlow Lite Micro refuses the model: {lines[0]}") from error


def record_arena(data: bytes) -> Arena:
    """Return the memory that the interpreter records while it runs a file.

    Raises:
        UserError: TensorFlow Lite Micro refuses the file.
    """
    model = MicroModel(data)
    model.run(np.zeros(model.input_shape, np.int8))
    found = model.report()
    return Arena(found["total"], found["head"], found["tail"])


def measure_arena(data: bytes) -> Arena:
    """Return the memory that a file needs: what is recorded, proven by running in just that.

    Each attempt runs in a process of its own, because the interpreter crashes in an arena that is
    far too small.

    Raises:
        UserError: TensorFlow Lite Micro refuses the file.
    """
    recorded = record_arena(data)
    # In steps of ALIGNMENT beyond what was recorded: allocation needs temporary memory as well.
    low, high = -1, 0
    while not _runs_in(data, recorded.needed + high * ALIGNMENT):
        if high > _MOST_STEPS:
            raise UserError(
                f"The interpreter recorded an arena of {recorded.needed} bytes for the model, but "
                f"the model does not run in {recorded.needed + high * ALIGNMENT} bytes."
            )
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        works = _runs_in(data, recorded.needed + middle * ALIGNMENT)
        low, high = (low, middle) if works else (middle, high)
    return replace(recorded, needed=recorded.needed + high * ALIGNMENT)


def _runs_in(data: bytes, size: int) -> bool:
    """Whether a file runs in an arena of this size; see the end of this file."""
    module = "mobilenet_tf.deployment.devices.mcu.interpreter"
    return run_python("-m", module, str(size), input=data).returncode == 0


@contextmanager
def _captured_errors() -> Iterator[Callable[[], bytes]]:
    """Capture standard error, where the native library prints; yield a function that reads it."""
    with tempfile.TemporaryFile() as file:
        original = os.dup(2)
        os.dup2(file.fileno(), 2)

        def output() -> bytes:
            file.seek(0)
            return file.read()

        try:
            yield output
        finally:
            os.dup2(original, 2)
            os.close(original)


def _captured(function: Callable[[], None]) -> bytes:
    """Call a function and return what it printed to standard error."""
    with _captured_errors() as output:
        function()
        return output()


if __name__ == "__main__":
    # Started by `_runs_in`: the file on standard input, the size of the arena as argument.
    small = MicroModel(sys.stdin.buffer.read(), int(sys.argv[1]))
    small.run(np.zeros(small.input_shape, np.int8))
