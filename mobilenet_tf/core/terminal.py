"""The terminal. Progress and tables go to standard error; standard output is for results."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from mobilenet_tf.core.text import clean

_NARROWEST = 80  # columns; a narrower terminal breaks lines, instead of losing digits of a table


def wide_enough(console: Console) -> Console:
    """Return the console, set to a width at which a table shows its numbers."""
    if console.width < _NARROWEST:
        console.width = _NARROWEST
    return console


# A descriptor of its own, so that it still works inside `quiet`. A code page that lacks a character
# must not end a command.
console = wide_enough(
    Console(file=os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace"))
)


def say(text: str) -> None:
    """Print a line on standard error as it is, in one piece."""
    console.print(Text(clean(text)), highlight=False, soft_wrap=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence native libraries, which log to standard error whatever their settings.

    Failures still raise.
    """
    sys.stderr.flush()
    original, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(nowhere)


def announce(line: str) -> None:
    """Print a line on standard error, whole and as it is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def run_command(**options: object) -> str:
    """Return a command line of `run` to copy.

    Options that are None are left out, and those that are lists are repeated.
    """
    words = (
        f"--{name} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}"
        for name, values in options.items()
        for value in (values if isinstance(values, list) else [values])
        if value is not None
    )
    return " ".join(("mobilenet-tf run", *words))


def import_tensorflow() -> None:
    """Import TensorFlow and look for devices without a screenful of logs."""
    with quiet():
        import tensorflow
        import tensorflow_model_optimization  # noqa: F401

        tensorflow.config.list_physical_devices()
    # It warns of every function that is traced again, as those of several networks are.
    tensorflow.get_logger().setLevel("ERROR")
