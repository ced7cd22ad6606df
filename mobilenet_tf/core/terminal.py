"""The terminal. Progress and tables go to standard error; standard output is for results."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

# A descriptor of its own, so that it still speaks inside `quiet`.
console = Console(file=os.fdopen(os.dup(2), "w", buffering=1))


@contextmanager
def quiet() -> Iterator[None]:
    """Silence native libraries, which log to standard error past every setting.

    What fails still raises; it just says nothing on the way.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def run_command(**options: object) -> str:
    """The command line of `run`, to be copied; an option that is None is left out."""
    words = (
        f"--{name} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}"
        for name, value in options.items()
        if value is not None
    )
    return " ".join(("mobilenet-tf run", *words))


def import_tensorflow() -> None:
    """Import TensorFlow and look for devices without a screenful of logs."""
    with quiet():
        import tensorflow
        import tensorflow_model_optimization  # noqa: F401

        tensorflow.config.list_physical_devices()
