"""The child process in which LiteRT runs files from outside; see `guard` for the other end.

A message is a line of JSON, followed by as many bytes as its field `bytes` says. The process ends
when its input ends, and is killed by an alarm when a file takes too long.
"""

import json
import os
import re
import signal
import sys
import time
from contextlib import contextmanager, suppress
from math import prod
from typing import Any, BinaryIO

import numpy as np

_READ = 1 << 17  # bytes of pictures that are run before the alarm is set anew


class Server:
    """Interpreters by number, and the requests that they answer.

    Args:
        load_seconds: Time for making an interpreter.
        run_seconds: Time for one run of an interpreter.
    """

    def __init__(self, load_seconds: float, run_seconds: float):
        self.load_seconds, self.run_seconds = load_seconds, run_seconds
        self.interpreters: list[Any] = []

    def answer(self, request: dict[str, Any], stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
        """Return the reply to one request, whose bytes follow in `stream`."""
        arguments = {k: v for k, v in request.items() if k not in ("do", "bytes", "number")}
        if request["do"] == "peak":
            return {"kib": _peak()}, b""
        if request["do"] == "load":
            return self._load(stream.read(request["bytes"]), **arguments)
        interpreter = self.interpreters[request["number"]]
        if request["do"] in ("set", "run"):
            arguments["stream"] = stream
        return getattr(self, f"_{request['do']}")(interpreter, **arguments)

    def _load(self, content: bytes, threads: int, delegate: bool) -> tuple[dict[str, Any], bytes]:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        builtin = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with _deadline(self.load_seconds):
            interpreter = Interpreter(
                model_content=content,
                num_threads=threads,
                experimental_op_resolver_type=OpResolverType.AUTO if delegate else builtin,
            )
            interpreter.allocate_tensors()
        self.interpreters.append(interpreter)
        details = {
            key: [
                {"index": int(x["index"]), "shape": x["shape"].tolist(), "dtype": _name(x["dtype"])}
                for x in found
            ]
            for key, found in (
                ("inputs", interpreter.get_input_details()),
                ("outputs", interpreter.get_output_details()),
            )
        }
        return {"number": len(self.interpreters) - 1}, json.dumps(details).encode()

    def _nodes(self, interpreter: Any) -> tuple[dict[str, Any], bytes]:
        nodes = [
            {
                "op_name": str(node["op_name"]),
                "inputs": np.asarray(node["inputs"]).tolist(),
                "outputs": np.asarray(node["outputs"]).tolist(),
            }
            for node in interpreter._get_ops_details()
        ]
        return {}, json.dumps(nodes).encode()

    def _fill(self, interpreter: Any) -> tuple[dict[str, Any], bytes]:
        """Set all inputs to random values."""
        random = np.random.default_rng(0)
        for detail in interpreter.get_input_details():
            values = random_input(random, detail["shape"], detail["dtype"])
            interpreter.set_tensor(detail["index"], values)
        return {}, b""

    def _invoke(self, interpreter: Any, count: int) -> tuple[dict[str, Any], bytes]:
        with _deadline(self.run_seconds * count):
            start = time.perf_counter()
            for _ in range(count):
                interpreter.invoke()
            seconds = time.perf_counter() - start
        return {"seconds": seconds}, b""

    def _get(self, interpreter: Any, index: int, limit: int) -> tuple[dict[str, Any], bytes]:
        values = interpreter.get_tensor(index)
        if values.nbytes > limit or values.dtype.hasobject:
            raise ValueError(f"Tensor {index} is no array of at most {limit:,} bytes")
        return {"shape": list(values.shape), "dtype": _name(values.dtype)}, values.tobytes()

    def _set(
        self, interpreter: Any, stream: BinaryIO, input: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        interpreter.set_tensor(input["index"], _read(stream, input))
        return {}, b""

    def _run(
        self, interpreter: Any, stream: BinaryIO, input: dict[str, Any], output: int, batches: int
    ) -> tuple[dict[str, Any], bytes]:
        """Run batches one after the other, reading some at a time."""
        results: list[np.ndarray] = []
        failed: Exception | None = None
        step = max(1, _READ // max(1, _bytes(input)))
        for start in range(0, batches, step):
            count = min(step, batches - start)
            values = _read(stream, input | {"shape": [count, *input["shape"]]})
            if failed:  # the rest of the message has to be read all the same
                continue
            try:
                with _deadline(self.run_seconds):
                    for value in values:
                        interpreter.set_tensor(input["index"], value)
                        interpreter.invoke()
                        results.append(interpreter.get_tensor(output))
            except Exception as error:
                failed = error
        if failed:
            raise failed
        return {}, b"".join(result.tobytes() for result in results)


def _bytes(values: dict[str, Any]) -> int:
    return prod(values["shape"]) * np.dtype(values["dtype"]).itemsize


def _read(stream: BinaryIO, values: dict[str, Any]) -> np.ndarray:
    """Read an array whose shape and dtype are given."""
    return np.frombuffer(stream.read(_bytes(values)), values["dtype"]).reshape(values["shape"])


def random_input(random: np.random.Generator, shape: Any, dtype: Any) -> np.ndarray:
    """Return random values for an input: 0 to 1, or integers below 100."""
    floats = np.issubdtype(dtype, np.floating)
    return (random.random(shape) if floats else random.integers(0, 100, shape)).astype(dtype)


@contextmanager
def _deadline(seconds: float) -> Any:
    """End this process if the block takes longer: the alarm kills it even in native code."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _name(dtype: Any) -> str:
    return np.dtype(dtype).name


def _peak() -> int | None:
    """The most memory that this process has used, in KiB; None where the system does not say."""
    try:
        with open("/proc/self/status", encoding="utf-8") as status:
            found = re.search(r"VmHWM:\s+(\d+)", status.read())
    except OSError:
        return None
    return int(found[1]) if found else None


def _bound_memory(size: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows, or a system without this limit
        import resource

        for kind, most in ((resource.RLIMIT_AS, size), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))


def main() -> None:
    """Answer requests until the input ends."""
    memory, load_seconds, run_seconds = sys.argv[1:]
    _bound_memory(int(memory))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this process
    # Native libraries print to descriptor 1; replies go through another one.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server, requests = Server(float(load_seconds), float(run_seconds)), sys.stdin.buffer
    while line := requests.readline():
        try:
            reply, payload = server.answer(json.loads(line), requests)
        except MemoryError:
            reply, payload = {"memory": True}, b""
        except Exception as error:  # whatever LiteRT raises about the file
            lines = str(error).strip().split("\n")
            reply, payload = {"error": lines[0][:300] or type(error).__name__}, b""
        replies.write(json.dumps(reply | {"bytes": len(payload)}).encode() + b"\n" + payload)
        replies.flush()


if __name__ == "__main__":
    main()
