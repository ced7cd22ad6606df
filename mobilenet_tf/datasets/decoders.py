"""Decode image files in processes of their own, within limits of time and memory.

Pillow's decoders are native code that trusts its files. In a child process, a file that crashes
one, blocks it or fills the memory ends that process; here it is an unreadable image like others.
The child is this module too.
"""

import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from math import prod
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from mobilenet_tf.core.child import Child, ChildCrash, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.core.serve import Content, serve, set_alarm
from mobilenet_tf.datasets.deep import Extremes
from mobilenet_tf.datasets.formats import IN_FLIGHT, MEMORY, PIXEL_LIMIT, SECONDS, TOO_MUCH_MEMORY
from mobilenet_tf.datasets.images import NeedsMorePixels, Picture, UnreadableImage, read_picture
from mobilenet_tf.datasets.masks import read_mask
from mobilenet_tf.datasets.survey.facts import read_facts

_PILLOW = Tool("Pillow", "decoded", "mobilenet_tf.datasets.decoders")
_REASONS = {
    "crash": "its decoder crashes",
    "late": "its decoder does not finish in time",
    "memory": TOO_MUCH_MEMORY,
}
_MOST, _BYTES = 16, 2**23  # of one message: files, and bytes of their pixels
_START_SECONDS = 60.0
_AHEAD = 4  # messages per process that are read before their images are used
READERS = {"picture": read_picture, "mask": read_mask, "facts": read_facts}


class Decoders(AbstractContextManager["Decoders"]):
    """Child processes that decode image files.

    They start when this object is made and end with its `with` block.

    Args:
        files: Number of files to decode; no more processes are started.
        count: The most processes; by default one per core.
        seconds: Time for one file.
        memory: Bytes of memory that each process may use.
    """

    def __init__(
        self,
        files: int,
        count: int | None = None,
        seconds: float = SECONDS,
        memory: int = MEMORY,
    ) -> None:
        self._count = max(1, min(files, count or os.cpu_count() or 1))
        self._seconds, self._memory = seconds, memory
        # Enough for photos, and half of the pixels remain for a large image.
        self._share = PIXEL_LIMIT // (2 * self._count)
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._processes = {_Process(memory) for _ in range(self._count)}
        for process in self._processes:
            self._idle.put(process)
        self._pool = ThreadPoolExecutor(self._count)  # each thread waits for a process
        self._closed = False

    def __exit__(self, *error: object) -> None:
        self._closed = True
        for process in list(self._processes):
            process.close()  # which wakes its thread, at once after Ctrl-C
        self._pool.shutdown(cancel_futures=True)

    def read(
        self, paths: Sequence[str | Path], input_spec: InputSpec, reader: str = "picture"
    ) -> Iterator[Picture | UnreadableImage]:
        """Yield each file as its reader reads it, or why it cannot be read.

        To the reasons of `images.open_image` come those that its decoder crashes, does not finish
        in time, or needs too much memory.

        Args:
            paths: The files.
            input_spec: Input that they are read for.
            reader: What is read: `picture`, its `facts`, or a `mask`, with one channel.

        Raises:
            UserError: The processes cannot be started.
        """
        message = min(_MOST, _BYTES // prod(input_spec.shape), len(paths) // self._count)
        size = max(1, message)
        waiting: deque[Future[list[Picture | UnreadableImage]]] = deque()
        for start in range(0, len(paths), size):
            part = [str(path) for path in paths[start : start + size]]
            waiting.append(self._pool.submit(self._read, part, input_spec, reader))
            if len(waiting) > _AHEAD * self._count:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _read(
        self, paths: list[str], input_spec: InputSpec, reader: str
    ) -> list[Picture | UnreadableImage]:
        read: list[Picture | UnreadableImage] = []
        found = self._ask(paths, input_spec, reader, self._share)
        for path, one in zip(paths, found, strict=True):
            while isinstance(one, int):
                (one,) = self._ask([path], input_spec, reader, one)
            read.append(one)
        return read

    def _ask(
        self, paths: list[str], input_spec: InputSpec, reader: str, pixels: int
    ) -> Sequence[Picture | UnreadableImage | int]:
        """Return images, reasons, or with how many pixels a file has to be read on its own."""
        with IN_FLIGHT.reserved(pixels):
            process = self._idle.get()
            try:
                return process.read(paths, input_spec, reader, self._seconds, pixels)
            except ChildCrash as crash:
                if self._closed:
                    raise
                cause = crash.cause
                process = self._replaced(process)
            finally:
                self._idle.put(process)
        if len(paths) > 1:  # only one of them is to blame
            return [pixels] * len(paths)
        return [UnreadableImage(paths[0], _REASONS[cause])]

    def _replaced(self, process: "_Process") -> "_Process":
        process.close()
        self._processes.remove(process)
        process = _Process(self._memory)
        self._processes.add(process)
        return process


class _Process(Child):
    """One of the processes."""

    def __init__(self, memory: int) -> None:
        super().__init__(_PILLOW, "an image", memory)
        self._started = False

    def read(
        self, paths: list[str], input_spec: InputSpec, reader: str, seconds: float, pixels: int
    ) -> list[Picture | UnreadableImage | int]:
        """Read files; see `Decoders`."""
        if not self._started:  # so that no file is blamed for a process that cannot start
            try:
                self.ask("start", seconds=_START_SECONDS)
            except ChildCrash as crash:
                raise UserError("The processes that decode images cannot be started.") from crash
            self._started = True
        reply, payload = self.ask(
            "read",
            json.dumps(paths).encode(),
            seconds * len(paths),
            reader=reader,
            input=input_spec.to_dict(),
            each=seconds,
            pixels=pixels,
        )
        found: list[Picture | UnreadableImage | int] = []
        place, size = reply["outcomes"], prod(input_spec.shape)
        for path, outcome in zip(paths, json.loads(payload[:place]), strict=True):
            if "reason" in outcome:
                found.append(UnreadableImage(path, outcome["reason"]))
            elif "needs" in outcome:
                found.append(outcome["needs"])
            else:
                values = np.frombuffer(payload, np.uint8, size, place).reshape(input_spec.shape)
                deep = outcome["deep"] and Extremes(*outcome["deep"])
                framing = from_plain(Framing, outcome["framing"], "framing")
                found.append(Picture(values, deep, framing, outcome["facts"]))
                place += size
        return found


def answer(request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytes]:
    """Answer a request, inside the child process."""
    if request["do"] == "start":
        return {}, b""
    input_spec = InputSpec.from_dict(request["input"])
    outcomes: list[dict[str, Any]] = []
    images: list[bytes] = []
    for path in json.loads(content.read()):
        set_alarm(request["each"])
        try:
            one = READERS[request["reader"]](path, input_spec, request["pixels"])
            framing = to_plain(one.framing)
            outcomes.append({"deep": one.deep, "framing": framing, "facts": one.facts})
            images.append(one.pixels.tobytes())
        except NeedsMorePixels as error:
            outcomes.append({"needs": error.pixels})
        except UnreadableImage as error:
            outcomes.append({"reason": error.reason})
    listed = json.dumps(outcomes).encode()
    return {"outcomes": len(listed)}, b"".join([listed, *images])


if __name__ == "__main__":
    serve(answer)
