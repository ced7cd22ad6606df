"""Run Python in a process of its own: for tools that crash, print or keep global state."""

import os
import subprocess
import sys
from typing import Any


def run_python(*arguments: str, **options: Any) -> subprocess.CompletedProcess:
    """Run `python ARGUMENTS` with this process's packages and capture its output.

    Args:
        arguments: Command line of the interpreter.
        options: Further options of `subprocess.run`.
    """
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=paths, capture_output=True, check=False, **options)
