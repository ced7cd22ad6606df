"""Python in a process of its own: for tools that crash, print, or keep global state."""

import os
import subprocess
import sys


def run_python(*arguments: str, **options) -> subprocess.CompletedProcess:
    """`python ARGUMENTS` with this process's packages, its output captured.

    Args:
        options: as for `subprocess.run`.
    """
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=paths, capture_output=True, check=False, **options)
