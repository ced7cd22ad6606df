"""The child process in which LiteRT runs files from outside; see `guard` for the other end."""

import json
import re
import time
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from mobilenet_tf.core.serve import Content, serve, set_alarm

_READ = 1 << 17  # bytes of pictures that are run before the alarm is set anew


class Server:
    """Interpreters by number, and the requests that they answer."""

    def __init__(self) -> None:
        self.interpreters: list[Any] = []

    def answer(self, request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytes]:
        """Return the reply to one request; see `serve`."""
        arguments = {k: v for k, v in request.items() if k not in ("do", "seconds", "number")}
        if request["do"] == "peak":
            return {"kib": _peak()}, b""
        if request["do"] == "load":
            return self._load(content.read(), **arguments)
        interpreter = self.interpreters[request["number"]]
        if request["do"] in ("set", "run"):
            arguments["content"] = content
        if request["do"] == "run":
            arguments["seconds"] = request["seconds"]
        return getattr(self, f"_{request['do']}")(interpreter, **arguments)

    def _load(self, content: bytes, threads: int, delegate: bool) -> tuple[dict[str, Any], bytes]:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        builtin = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
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

    def _invoke(self, interpreter: Any, count: int, threads: int) -> tuple[dict[str, Any], bytes]:
        clock = run_clock(threads)
        start = clock()
        for _ in range(count):
            interpreter.invoke()
        return {"seconds": clock() - start}, b""

    def _get(self, interpreter: Any, index: int, limit: int) -> tuple[dict[str, Any], bytes]:
        values = interpreter.get_tensor(index)
        if values.nbytes > limit or values.dtype.hasobject:
            raise ValueError(f"Tensor {index} is no array of at most {limit:,} bytes")
        return {"shape": list(values.shape), "dtype": _name(values.dtype)}, values.tobytes()

    def _set(
        self, interpreter: Any, content: Content, input: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        interpreter.set_tensor(input["index"], _read(content, input))
        return {}, b""

    def _run(
        self,
        interpreter: Any,
        content: Content,
        seconds: float,
        input: dict[str, Any],
        outputs: list[int],
        batches: int,
    ) -> tuple[dict[str, Any], bytes]:
        """Run batches one after the other, reading some at a time; each may take its share."""
        results: list[np.ndarray] = []
        step = max(1, _READ // max(1, _bytes(input)))
        for start in range(0, batches, step):
            count = min(step, batches - start)
            set_alarm(seconds / batches)
            for value in _read(content, input | {"shape": [count, *input["shape"]]}):
                interpreter.set_tensor(input["index"], value)
                interpreter.invoke()
                results += [interpreter.get_tensor(output) for output in outputs]
        return {}, b"".join(result.tobytes() for result in results)


def run_clock(threads: int) -> Callable[[], float]:
    """Return the clock, in seconds, by which runs on a number of threads are timed.

    On one thread it does not count the time in which other programs have the processor.
    """
    return time.thread_time if threads == 1 else time.perf_counter


def _bytes(values: dict[str, Any]) -> int:
    return prod(values["shape"]) * np.dtype(values["dtype"]).itemsize


def _read(content: Content, values: dict[str, Any]) -> np.ndarray:
    """Read an array whose shape and dtype are given."""
    return np.frombuffer(content.read(_bytes(values)), values["dtype"]).reshape(values["shape"])


def random_input(random: np.random.Generator, shape: Any, dtype: Any) -> np.ndarray:
    """Return random values for an input: 0 to 1, or integers below 100."""
    floats = np.issubdtype(dtype, np.floating)
    return (random.random(shape) if floats else random.integers(0, 100, shape)).astype(dtype)


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


if __name__ == "__main__":
    serve(Server().answer)
