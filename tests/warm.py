"""Processes that begin with their modules imported, which takes most of the time of a command.

`command` starts one process that imports them and forks for each command that it is asked for. What
a test starts is this file as a program: it asks for the fork, which gets its streams, environment
and folder, and ends as the fork ends. If it is killed, so is the fork, before another one begins.
"""

import atexit
import contextlib
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

# What commands that train, convert or run networks import.
COMMANDS = (
    "tensorflow",
    "tensorflow_model_optimization",
    "tf_keras",
    "mobilenet_tf.cli.app",
    "mobilenet_tf.commands.run",
)
# The processes that read files from elsewhere, without TensorFlow.
READERS = (
    "mobilenet_tf.datasets.decoders",
    "mobilenet_tf.datasets.sources.exif_position",
    "mobilenet_tf.deployment.tflite.server",
    "mobilenet_tf.networks.published.h5_server",
)
# Those that read them with TensorFlow.
CONVERTERS = ("mobilenet_tf.commands.foreign_server", "mobilenet_tf.datasets.stream_check")
_STREAMS = (0, 1, 2)
_POLL = 0.02  # seconds
_READERS = "TESTS_READERS"  # variable with the address of their process


@contextlib.contextmanager
def children() -> Iterator[None]:
    """Let this process's children begin with their modules imported.

    Forks of `command` find the process for `READERS` in their environment.
    """
    from unittest.mock import patch

    starts = dict.fromkeys(READERS, _reader) | dict.fromkeys(CONVERTERS, command)
    with patch.dict(os.environ, {_READERS: _address(READERS)}), _started(starts):
        yield


def _started(starts: dict[str, Callable[..., list[str]]]) -> contextlib.AbstractContextManager:
    """Start the modules of children in these ways, within a `with` block."""
    from unittest.mock import patch

    from mobilenet_tf.core import child

    usual = child.python_command

    def python_command(kind: str, what: str, *arguments: str) -> list[str]:
        return starts.get(what, usual)(kind, what, *arguments)

    return patch.object(child, "python_command", python_command)


def _reader(kind: str, what: str, *arguments: str) -> list[str]:
    return _ask_command(os.environ[_READERS], kind, what, *arguments)


@cache
def _address(modules: tuple[str, ...]) -> str:
    """Start the process that imports these modules and forks; return the address of its socket."""
    folder = tempfile.TemporaryDirectory()
    address = str(Path(folder.name) / "socket")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", address, *modules],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,  # it ends with this process
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    atexit.register(folder.cleanup)
    atexit.register(server.communicate)
    return address


def command(kind: str, what: str, *arguments: str) -> list[str]:
    """Return the command that runs Python: `-m` with a module, or `-c` with code."""
    return _ask_command(_address(COMMANDS), kind, what, *arguments)


def _ask_command(address: str, *words: str) -> list[str]:
    return [sys.executable, "-IS", __file__, "ask", address, *words]


def _ask(address: str, kind: str, *words: str) -> int:
    """Run a module or code in a fork; return its exit code, negative for a signal."""
    request = {"kind": kind, "words": words, "variables": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        content = json.dumps(request | {"folder": os.getcwd()}).encode()
        socket.send_fds(server, [len(content).to_bytes(4, "big")], _STREAMS)
        server.sendall(content)
        return int(server.recv(16))


def _serve(address: str, modules: list[str]) -> None:
    """Import the modules, and fork for each request until standard input ends."""
    from mobilenet_tf.core import environment

    environment.prepare()
    for module in modules:
        importlib.import_module(module)
    running: dict[socket.socket, int] = {}
    with socket.create_server(address, family=socket.AF_UNIX) as listener:
        ready = selectors.DefaultSelector()
        ready.register(listener, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            found = [key.fileobj for key, _ in ready.select(_POLL)]
            if sys.stdin in found:
                for process in running.values():
                    os.kill(process, signal.SIGKILL)
                break
            for asker in [one for one in found if one in running]:
                os.kill(running[asker], signal.SIGKILL)  # because the asker was killed
            for asker, process in list(running.items()):
                if _answered(asker, process, wait=asker in found):
                    # Before it is closed: forks have it too, and its events would go on.
                    ready.unregister(asker)
                    asker.close()
                    del running[asker]
            if listener in found:
                asker, _ = listener.accept()
                running[asker] = _forked(asker)
                ready.register(asker, selectors.EVENT_READ)


def _answered(asker: socket.socket, process: int, wait: bool) -> bool:
    """Send the exit code of a fork if it has ended; return whether it has."""
    ended, status = os.waitpid(process, 0 if wait else os.WNOHANG)
    if not ended:
        return False
    with contextlib.suppress(BrokenPipeError):
        asker.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    return True


def _forked(asker: socket.socket) -> int:
    """Fork a process that runs what is asked for; return its number."""
    from mobilenet_tf.core import terminal

    size, streams, *_ = socket.recv_fds(asker, 4, len(_STREAMS))
    with asker.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(size, "big")))
    process = os.fork()
    if process:
        for stream in streams:
            os.close(stream)
        return process
    for stream, place in zip(streams, _STREAMS, strict=True):
        os.dup2(stream, place)
        os.close(stream)
    # As Python opens them, which looks at what they are.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    terminal.console.file = sys.stderr
    tempfile.tempdir = None  # depends on the environment
    os.environ.clear()
    os.environ.update(request["variables"])
    os.chdir(request["folder"])
    what, *arguments = request["words"]
    sys.argv = [what if request["kind"] == "-m" else "-c", *arguments]
    os._exit(_run(request["kind"], what))


def _run(kind: str, what: str) -> int:
    """Run a module or code, and return the exit code that Python would end with."""
    import traceback

    code = 0
    readers = READERS if _READERS in os.environ else ()
    try:
        with _started(dict.fromkeys(readers, _reader)):
            _run_python(kind, what)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()  # which remove temporary folders
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _run_python(kind: str, what: str) -> None:
    import runpy

    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<warm>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    if sys.argv[1] != "ask":
        _serve(sys.argv[1], sys.argv[2:])
    else:
        code = _ask(*sys.argv[2:])
        if code < 0:
            os.kill(os.getpid(), -code)
        sys.exit(code)
