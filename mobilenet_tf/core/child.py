"""Python in a process of its own: for tools that crash, print, or keep global state.

`run_python` runs a program to its end. A `Child` answers requests about files from outside, which
may crash, block or fill it; here that is one sentence. `serve` is its other end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.text import clean

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
_LINE = 4096  # bytes of the line of a reply
_GRACE = 8.0  # seconds that a child has in addition, to start and to copy
_SHOWN = 300  # characters of a reason
REPLY_BYTES = 1 << 29
# Libraries reserve memory for each thread, which counts although it is not used.
_FEW_RESERVES = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "4"}


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


class ChildCrash(UserError):
    """A tool crashed on a file, or did not finish, or asked for too much memory.

    Attributes:
        cause: "crash", "late" or "memory".
    """

    def __init__(self, message: str, cause: str = "crash") -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Tool:
    """Code that trusts its files, such as a library in C, and so runs in a child.

    Attributes:
        name: What errors call it, such as LiteRT.
        verb: What it does with a file, as a participle: "run" or "read".
        module: The module that the child runs; it calls `serve`.
    """

    name: str
    verb: str
    module: str


class Child:
    """A process in which a tool works on files from outside, one request after the other.

    It ends with this object, or with this process. After a crash it stays dead: every later request
    raises again, and a new `Child` is needed.

    Args:
        tool: The tool.
        name: What errors call the file, unless a request names another.
        memory: Bytes of memory that the process may use.
        reply_bytes: The most bytes of one reply.

    Raises:
        UserError: The process cannot be started.
    """

    def __init__(self, tool: Tool, name: str, memory: int, reply_bytes: int = REPLY_BYTES):
        self.tool, self.name = tool, name
        self._memory, self._reply_bytes = memory, reply_bytes
        try:
            self._process = subprocess.Popen(
                python_command("-m", tool.module, str(memory)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | _FEW_RESERVES,
            )
        except OSError as error:  # the system has no process or memory left
            raise UserError(
                f"{name} is {tool.verb} by {tool.name} in a process of its own, which cannot be "
                f"started: {error.strerror or error}."
            ) from error
        self._lock = threading.Lock()
        self._late = False
        self._end = weakref.finalize(self, _end, self._process)

    def ask(
        self, do: str, content: Any = b"", seconds: float = 0.0, name: str = "", **values: Any
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and return the reply and its bytes.

        Args:
            do: What the child shall do.
            content: Bytes that belong to the request.
            seconds: Time that the child may take by its own clock; 0 for no more than it needs to
                start.
            name: What errors call the file of this request.
            values: Further fields of the request, ready for JSON.

        Raises:
            ChildCrash: The child died, or did not answer in time, or lacked memory.
            UserError: The child refused the file.
        """
        name = name or self.name
        content = memoryview(content).cast("B") if len(content) else b""
        request = {"do": do, "bytes": len(content), "seconds": seconds} | values
        with self._lock:
            watch = threading.Timer(seconds + _GRACE, self._kill_late)
            watch.daemon = True
            watch.start()
            try:
                reply, payload = self._exchange(request, content)
            except (OSError, ValueError, TypeError, KeyError, EOFError):
                raise self._crash(name, seconds) from None
            finally:
                watch.cancel()
        if "failed" in reply:
            raise self._failure(reply["failed"], payload.decode(errors="replace"), name)
        return reply, payload

    def close(self) -> None:
        """End the process, whatever it does."""
        self._end()

    def _exchange(self, request: dict[str, Any], content: Any) -> tuple[dict[str, Any], bytes]:
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            raise EOFError("no pipes")
        requests.write(json.dumps(request).encode() + b"\n")
        requests.write(content)
        requests.flush()
        reply = json.loads(replies.readline(_LINE))
        size = reply["bytes"]
        if not 0 <= size <= self._reply_bytes:
            raise ValueError("too long")
        payload = replies.read(size)
        if len(payload) < size:
            raise EOFError("cut short")
        return reply, payload

    def _kill_late(self) -> None:
        self._late = True
        self._process.kill()

    def _failure(self, kind: str, text: str, name: str) -> UserError:
        if kind == "memory":
            return ChildCrash(
                f"{name} needs more than {self._memory:,} bytes of memory in {self.tool.name}.",
                "memory",
            )
        if kind == "sentence":
            return UserError(text)
        reason = clean(text, _SHOWN).rstrip(".")
        return UserError(f"{name} cannot be {self.tool.verb} by {self.tool.name}: {reason}.")

    def _crash(self, name: str, seconds: float) -> ChildCrash:
        tool = self.tool.name
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:  # it answers nonsense
            self._process.kill()
            code = self._process.wait()
        if self._late or code == -signal.SIGALRM:
            return ChildCrash(
                f"{tool} crashes on this file: {name} does not finish in time, which is "
                f"{seconds:g} seconds.",
                "late",
            )
        known = {-item.value: item.name for item in signal.Signals}
        return ChildCrash(
            f"{tool} crashes on this file: {name} ends it with {known.get(code, f'code {code}')}; "
            f"the file is damaged, or uses {tool} wrongly."
        )


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        try:
            if stream is not None:
                stream.close()
        except OSError:  # what was not sent cannot be sent any more
            pass
