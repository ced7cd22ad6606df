"""The command line driven as a user drives it; no other part of the package is called."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import mobilenet_tf
from tests.short import shallow_zoo

ROOT = Path(mobilenet_tf.__file__).parents[1]
MEGABYTE = 2**20


@dataclass(frozen=True)
class Done:
    """What a command left behind: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON, in which NaN and Infinity are errors."""
        return json.loads(self.out, parse_constant=_no_number)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Late(BaseException):
    """A command that has not ended in time."""


def _late(*_: object) -> NoReturn:
    raise _Late


def call(*arguments: object, cwd: Path | None = None, seconds: float = 900) -> Done:
    """Run a command in this process with short networks; after `seconds` its code is -9."""
    from mobilenet_tf.__main__ import main
    from mobilenet_tf.core.terminal import console

    out, err = io.StringIO(), io.StringIO()
    argv, path, here, file = sys.argv, list(sys.path), os.getcwd(), console.file
    sys.argv, console.file = ["mobilenet-tf", *map(str, arguments)], err
    before = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        os.chdir(cwd or here)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), shallow_zoo():
            code = _code(main)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        os.chdir(here)
        sys.argv, sys.path[:], console.file = argv, path, file
    return Done(code, out.getvalue(), err.getvalue())


def _code(main: Any) -> int:
    """Run a program; return its exit code, with what Python prints of an error."""
    try:
        main()
    except _Late:
        return -9
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return 1
    return 0


def call_apart(
    *arguments: object,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    limit: int | None = None,
    seconds: float = 300,
) -> Done:
    """Run a command in a process of its own, which may crash; after `seconds` it is killed.

    Args:
        arguments: The command.
        cwd: Its working directory.
        env: Variables beside those of this process.
        limit: Bytes of memory that it may allocate.
        seconds: How long it may take; afterwards the exit code is -9.
    """
    command = [sys.executable, "-m", "mobilenet_tf", *map(str, arguments)]
    if limit is not None:
        command = ["bash", "-c", f'ulimit -v {limit // 1024}; exec "$@"', "bash", *command]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            cwd=cwd,
            env=_environment(env),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Done(-9, "", "")
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))


def succeeded(done: Done) -> Done:
    """Check that a command worked."""
    assert done.code == 0, done.err
    return done


def refused(done: Done, *said: str) -> str:
    """Check that a command was refused in one sentence with these words; return the sentence."""
    assert done.code == 2, (done.code, done.err)
    assert "Traceback" not in done.err
    sentence = done.err[done.err.rfind("Error: ") :].strip()
    assert sentence.startswith("Error: "), done.err
    assert "\n" not in sentence
    assert len(sentence) < 1000
    for words in said:
        assert words in sentence
    return sentence


@contextlib.contextmanager
def at_work(
    *arguments: object,
    until: Callable[[], object],
    seconds: float = 120,
    variables: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen]:
    """Keep a command running in a process of its own; it is killed at the end.

    Args:
        arguments: The command.
        until: What is waited for before the process is yielded.
        seconds: The longest wait.
        variables: Environment variables beside those of this process.
    """
    command = [sys.executable, "-m", "mobilenet_tf", *map(str, arguments)]
    env = _environment(variables)
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=env) as process:
        try:
            deadline = time.monotonic() + seconds
            while not until() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            yield process
        finally:
            process.kill()


def _environment(variables: dict[str, str] | None) -> dict[str, str]:
    """Return this process's variables with further ones; PYTHONPATH goes before the project."""
    more = dict(variables or {})
    path = os.pathsep.join(part for part in (more.pop("PYTHONPATH", ""), str(ROOT)) if part)
    return os.environ | {"PYTHONPATH": path} | more
