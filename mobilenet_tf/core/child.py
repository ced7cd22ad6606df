"""Run Python in a process of its own: for tools that crash, print or keep global state."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]
# A child in isolated mode looks for modules neither in the current folder nor in one that a
# variable names. This package is found by its place, which may be the current folder.
_START = """
import importlib.util, json, runpy, sys
package, paths, kind, what, *rest = sys.argv[1:]
sys.path += [path for path in json.loads(paths) if path not in sys.path]
spec = importlib.util.spec_from_file_location(
    "mobilenet_tf", package + "/__init__.py", submodule_search_locations=[package])
sys.modules["mobilenet_tf"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.argv = [what if kind == "-m" else "-c", *rest]
if kind == "-m":
    runpy.run_module(what, run_name="__main__", alter_sys=True)
else:
    exec(compile(what, "<child>", "exec"), {"__name__": "__main__"})
"""


def python_command(kind: str, what: str, *arguments: str) -> list[str]:
    """Return the command that runs Python with this process's packages and a safe path.

    Args:
        kind: `-m` for a module, `-c` for code.
        what: The module's name, or the code.
        arguments: What it finds in `sys.argv[1:]`.
    """
    here = Path.cwd()
    paths = [path for path in sys.path if path and Path(path).resolve() != here]
    start = [sys.executable, "-I", "-c", _START, str(_PACKAGE), json.dumps(paths)]
    return [*start, kind, what, *arguments]


def run_python(
    kind: str, what: str, *arguments: str, **options: Any
) -> subprocess.CompletedProcess:
    """Run Python in a child and capture its output; see `python_command`.

    Args:
        kind: `-m` or `-c`.
        what: The module's name, or the code.
        arguments: What it finds in `sys.argv[1:]`.
        options: Further options of `subprocess.run`.
    """
    command = python_command(kind, what, *arguments)
    return subprocess.run(command, env=os.environ, capture_output=True, check=False, **options)
