"""Compile the C of a network for this machine, and run it in a process of its own."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic")
_COMPILERS = ("cc", "gcc", "clang")
_MAIN = """\
#include <stdio.h>
#include "{prefix}.h"

int main(void) {{
  static int8_t scores[{upper}_OUTPUT_BYTES];
  while (fread({prefix}_input(), {upper}_INPUT_BYTES, 1, stdin) == 1) {{
    const int error = {prefix}_invoke({prefix}_input(), scores);
    if (error != 0 || fwrite(scores, {upper}_OUTPUT_BYTES, 1, stdout) != 1) {{
      return 1;
    }}
  }}
  return 0;
}}
"""


def compiler() -> str | None:
    """Return the path of this machine's C compiler; None if there is none."""
    return next(filter(None, map(shutil.which, _COMPILERS)), None)


def run_on_host(
    contents: Mapping[str, bytes],
    prefix: str,
    inputs: np.ndarray,
    flags: Sequence[str] = (),
) -> np.ndarray:
    """Return the scores that the C computes for int8 (N, h, w, c).

    Args:
        contents: File name -> content; the C files below `src/` are compiled.
        prefix: What the functions' names begin with.
        inputs: pixel - 128.
        flags: Options of the compiler besides `FLAGS`.

    Returns:
        int8 (N, values): those of all outputs one after the other.

    Raises:
        UserError: There is no C compiler, it refuses the files, or the program fails.
    """
    found = compiler()
    if found is None:
        raise UserError(
            f"The C code is run on this machine before it is written, which needs a C compiler: "
            f"one of {', '.join(_COMPILERS)}."
        )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sources = [_written(root, name, content) for name, content in contents.items()]
        main = _MAIN.format(prefix=prefix, upper=prefix.upper()).encode()
        sources.append(_written(root, "src/main.c", main))
        program = root / "program"
        used = [str(path) for path in sources if path.suffix == ".c" and "src" in path.parts]
        command = [
            found,
            *FLAGS,
            *flags,
            "-I",
            str(root / "src"),
            *used,
            "-lm",
            "-o",
            str(program),
        ]
        _run(command)
        output = _run([str(program)], inputs.tobytes())
    return np.frombuffer(output, np.int8).reshape(len(inputs), -1)


def _written(root: Path, name: str, content: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _run(command: list[str], data: bytes = b"") -> bytes:
    done = subprocess.run(command, input=data, capture_output=True)
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = next((line for line in lines if "error" in line.lower()), "no reason given")
        raise UserError(f"{Path(command[0]).name} fails on the C code: {reason}.")
    return done.stdout
