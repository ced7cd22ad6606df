"""Run LiteRT in a child process, which a file from outside may crash, fill or block.

LiteRT trusts its files: damaged ones make it read outside its memory. In the child, that is the
end of the child, and here it is a sentence. `server` is the other end.
"""

import json
import signal
import subprocess
import threading
import weakref
from math import prod
from typing import Any

import numpy as np

from mobilenet_tf.core.child import python_command
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.text import clean_name
from mobilenet_tf.deployment.tflite import limits

_SERVER = "mobilenet_tf.deployment.tflite.server"
_LINE = 4096  # bytes of the line of a reply
_GRACE = 8.0  # seconds that the child has in addition, to start and to copy
_PART = 1 << 24  # bytes of the pictures in one message


class RuntimeCrash(UserError):
    """LiteRT crashed on a file, or did not finish, or asked for too much memory."""


class Child:
    """A process in which LiteRT runs one file, or parts of it.

    Args:
        name: What errors call the file.
        size: Bytes of everything that is loaded; more may use more memory.
    """

    def __init__(self, name: str, size: int):
        self.name = name
        memory = limits.MEMORY + 8 * size
        self._memory = memory
        numbers = map(str, (memory, limits.LOAD_SECONDS, limits.RUN_SECONDS))
        self._process = subprocess.Popen(
            python_command("-m", _SERVER, *numbers),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._lock = threading.Lock()
        self._late = False
        self._end = weakref.finalize(self, _end, self._process)

    def ask(
        self, do: str, content: Any = b"", seconds: float = 0.0, **values: Any
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and return the reply and its bytes.

        Args:
            do: What the child shall do, see `Server`.
            content: Bytes that belong to the request.
            seconds: Time that the child may take by its own clock.
            values: Fields of the request.

        Raises:
            RuntimeCrash: The child died, or did not answer in time.
            UserError: LiteRT raised an error.
        """
        content = memoryview(content).cast("B") if len(content) else b""
        with self._lock:
            watch = threading.Timer(seconds + _GRACE, self._kill_late)
            watch.daemon = True
            watch.start()
            try:
                reply, payload = self._exchange({"do": do, "bytes": len(content)} | values, content)
            except (OSError, ValueError, TypeError, KeyError, EOFError):
                raise self._crash() from None
            finally:
                watch.cancel()
        if reply.get("memory"):
            raise RuntimeCrash(
                f"{self.name} needs more than {self._memory:,} bytes of memory in LiteRT."
            )
        if "error" in reply:
            reason = clean_name(str(reply["error"])).rstrip(".")
            raise UserError(f"{self.name} cannot be run by LiteRT: {reason}.")
        return reply, payload

    def _exchange(self, request: dict[str, Any], content: Any) -> tuple[dict[str, Any], bytes]:
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            raise EOFError("no pipes")
        requests.write(json.dumps(request).encode() + b"\n")
        requests.write(content)
        requests.flush()
        reply = json.loads(replies.readline(_LINE))
        size = reply["bytes"]
        if not 0 <= size <= limits.REPLY_BYTES:
            raise ValueError("too long")
        payload = replies.read(size)
        if len(payload) < size:
            raise EOFError("cut short")
        return reply, payload

    def _kill_late(self) -> None:
        self._late = True
        self._process.kill()

    def _crash(self) -> RuntimeCrash:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:  # it answers nonsense
            self._process.kill()
            code = self._process.wait()
        if self._late or code == -getattr(signal, "SIGALRM", 0):
            return RuntimeCrash(
                f"LiteRT crashes on this file: {self.name} does not finish in time, "
                f"{limits.LOAD_SECONDS:g} seconds to load and {limits.RUN_SECONDS:g} for a run."
            )
        known = {-item.value: item.name for item in signal.Signals}
        return RuntimeCrash(
            f"LiteRT crashes on this file: {self.name} ends it with "
            f"{known.get(code, f'code {code}')}; the file is damaged, or uses LiteRT wrongly."
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


class GuardedInterpreter:
    """The part of LiteRT's `Interpreter` that is needed here, in a child process.

    Args:
        content: The file.
        name: What errors call the file.
        threads: Number of CPU threads.
        delegate: Whether to run on XNNPACK, or on the built-in kernels.
        child: A process that holds other interpreters; None starts one.

    Raises:
        UserError: LiteRT rejects the file, crashes on it or does not finish.
    """

    def __init__(
        self,
        content: bytes,
        name: str,
        threads: int = 1,
        delegate: bool = True,
        child: Child | None = None,
    ):
        self.child = Child(name, len(content)) if child is None else child
        reply, details = self.child.ask(
            "load", content, limits.LOAD_SECONDS, threads=threads, delegate=delegate
        )
        self._number = reply["number"]
        self._details = json.loads(details)

    def get_input_details(self) -> list[dict[str, Any]]:
        """Return index, shape and dtype of each input."""
        return self._details["inputs"]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Return index, shape and dtype of each output."""
        return self._details["outputs"]

    def _get_ops_details(self) -> list[dict[str, Any]]:
        """Return op_name, inputs and outputs of each node."""
        _, nodes = self._ask("nodes", seconds=limits.RUN_SECONDS)
        return json.loads(nodes)

    def fill(self) -> None:
        """Set all inputs to random values."""
        self._ask("fill", seconds=limits.RUN_SECONDS)

    def seconds(self, count: int) -> float:
        """Return how long `count` runs take, by the child's clock."""
        reply, _ = self._ask("invoke", seconds=limits.RUN_SECONDS * count, count=count)
        return float(reply["seconds"])

    def set_tensor(self, index: int, values: np.ndarray) -> None:
        """Set an input."""
        values = np.ascontiguousarray(values)
        described = {"index": index, "shape": list(values.shape), "dtype": values.dtype.name}
        content = values.reshape(-1).view(np.uint8)
        self._ask("set", content, limits.RUN_SECONDS, input=described)

    def invoke(self) -> None:
        """Run once."""
        self.seconds(1)

    def run(self, inputs: np.ndarray, index: int, output: int, result: np.ndarray) -> None:
        """Run batches and write what they return into `result`.

        Args:
            inputs: (batches, *shape of the input).
            index: Number of the input.
            output: Number of the output.
            result: (batches, elements of the output) in its dtype.
        """
        shape, size = list(inputs.shape[1:]), max(1, inputs[:1].nbytes)
        described = {"index": index, "shape": shape, "dtype": inputs.dtype.name}
        step = max(1, _PART // max(size, result[:1].nbytes))
        for start in range(0, len(inputs), step):
            part = np.ascontiguousarray(inputs[start : start + step])
            _, found = self._ask(
                "run",
                part.reshape(-1).view(np.uint8),
                limits.RUN_SECONDS * len(part),
                input=described,
                output=output,
                batches=len(part),
            )
            into = result[start : start + step]
            if len(found) != into.nbytes:
                raise UserError(
                    f"{self.child.name} returns {len(found)} bytes of scores where its output has "
                    f"{into.nbytes}."
                )
            into[:] = np.frombuffer(found, result.dtype).reshape(into.shape)

    def get_tensor(self, index: int) -> np.ndarray:
        """Return the values of a tensor."""
        reply, values = self._ask("get", seconds=limits.RUN_SECONDS, index=index,
                                  limit=limits.REPLY_BYTES)  # fmt: skip
        dtype, shape = np.dtype(reply["dtype"]), tuple(reply["shape"])
        if dtype.itemsize * prod(shape) != len(values):
            raise UserError(f"{self.child.name} returns a tensor that is cut short.")
        return np.frombuffer(values, dtype).reshape(shape)

    def _ask(
        self, do: str, content: Any = b"", seconds: float = 0.0, **values: Any
    ) -> tuple[dict[str, Any], bytes]:
        return self.child.ask(do, content, seconds, number=self._number, **values)
