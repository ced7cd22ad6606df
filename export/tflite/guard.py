"""Run LiteRT in a child process, which a file from outside may crash, fill or block.

LiteRT trusts its files: damaged ones make it read outside its memory. `server` is the other end.
"""

import json
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from mobilenet_tf.core.child import REPLY_BYTES, Child, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import quiet
from mobilenet_tf.deployment.tflite import limits

LITERT = Tool("LiteRT", "run", "mobilenet_tf.deployment.tflite.server")
_PART = 1 << 24  # bytes of the pictures in one message


def litert_child(name: str, size: int) -> Child:
    """Start a process in which LiteRT runs one file, or parts of it.

    Args:
        name: What errors call the file.
        size: Bytes of everything that is loaded; more may use more memory.
    """
    return Child(LITERT, name, limits.MEMORY + 8 * size)


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
        self.child = litert_child(name, len(content)) if child is None else child
        reply, details = self.child.ask(
            "load", content, limits.LOAD_SECONDS, threads=threads, delegate=delegate
        )
        self._number, self._threads = reply["number"], threads
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
        """Return how long `count` runs take, by the child's `run_clock`."""
        limit = limits.RUN_SECONDS * count
        reply, _ = self._ask("invoke", seconds=limit, count=count, threads=self._threads)
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

    def run(
        self,
        inputs: np.ndarray,
        index: int,
        outputs: Sequence[int],
        results: Sequence[np.ndarray],
    ) -> None:
        """Run batches and write what they return into `results`.

        Args:
            inputs: (batches, *shape of the input).
            index: Number of the input.
            outputs: Numbers of the outputs.
            results: Of each output (batches, elements) in its dtype.
        """
        sizes = [result[:1].nbytes for result in results]
        shape, size = list(inputs.shape[1:]), max(1, inputs[:1].nbytes)
        described = {"index": index, "shape": shape, "dtype": inputs.dtype.name}
        step = max(1, _PART // max(size, sum(sizes)))
        for start in range(0, len(inputs), step):
            part = np.ascontiguousarray(inputs[start : start + step])
            _, found = self._ask(
                "run",
                part.reshape(-1).view(np.uint8),
                limits.RUN_SECONDS * len(part),
                input=described,
                outputs=list(outputs),
                batches=len(part),
            )
            if len(found) != sum(sizes) * len(part):
                raise UserError(
                    f"{self.child.name} returns {len(found)} bytes of scores where its outputs "
                    f"have {sum(sizes) * len(part)}."
                )
            values = np.frombuffer(found, np.uint8).reshape(len(part), -1)
            for result, own in zip(results, np.split(values, np.cumsum(sizes), 1), strict=False):
                result[start : start + step] = np.ascontiguousarray(own).view(result.dtype)

    def get_tensor(self, index: int) -> np.ndarray:
        """Return the values of a tensor."""
        reply, values = self._ask("get", seconds=limits.RUN_SECONDS, index=index,
                                  limit=REPLY_BYTES)  # fmt: skip
        dtype, shape = np.dtype(reply["dtype"]), tuple(reply["shape"])
        if dtype.itemsize * prod(shape) != len(values):
            raise UserError(f"{self.child.name} returns a tensor that is cut short.")
        return np.frombuffer(values, dtype).reshape(shape)

    def _ask(
        self, do: str, content: Any = b"", seconds: float = 0.0, **values: Any
    ) -> tuple[dict[str, Any], bytes]:
        return self.child.ask(do, content, seconds, number=self._number, **values)


def load_interpreter(
    content: bytes, name: str, threads: int = 1, delegate: bool = True, *, trusted: bool = False
) -> Any:
    """Return a LiteRT interpreter with its memory allocated.

    Args:
        content: The file.
        name: What errors call the file.
        threads: Number of CPU threads.
        delegate: Whether to run on XNNPACK, or on the built-in kernels.
        trusted: Whether to run it in this process; else it is a `GuardedInterpreter`.

    Raises:
        UserError: LiteRT rejects the model, lacks one of its operators, or crashes on it.
    """
    if not trusted:
        return GuardedInterpreter(content, name, threads, delegate)
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    builtin = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with quiet():
            interpreter = Interpreter(
                model_content=content,
                num_threads=threads,
                experimental_op_resolver_type=OpResolverType.AUTO if delegate else builtin,
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise UserError(f"{name} cannot be run by LiteRT: {reason}.") from error
    return interpreter
