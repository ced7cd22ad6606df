"""Memory that this process and its children use, at the moment and at most."""

import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

_INTERVAL = 0.1  # seconds
_RESOURCE_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory() -> int:
    """Return the most bytes that this process has used so far, and its largest finished child."""
    used = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in used) * _RESOURCE_UNIT


def current_memory() -> int:
    """Return the bytes that this process and its descendants use now; 0 if the system hides it.

    Of children, files that are mapped into memory, such as libraries, do not count: this process
    has most of them, too.
    """
    own, *others = (_pages(process) for process in _family(os.getpid()))
    pages = own[0] + sum(resident - shared for resident, shared in others)
    return pages * os.sysconf("SC_PAGE_SIZE")


def _family(process: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            for child in children.read_text().split():
                yield from _family(int(child))


def _pages(process: int) -> tuple[int, int]:
    """Return the resident pages of a process, and how many of them belong to files."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{process}/statm").read_text().split()
    except (OSError, ValueError):  # it has ended, or this is not Linux
        return 0, 0
    return int(resident), int(shared)


class MemoryWatch(AbstractContextManager["MemoryWatch"]):
    """Notes the most memory that this process and its children use within a `with` block.

    Attributes:
        peak: In bytes; where the system does not say what processes use now, see `peak_memory`.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self.peak = self.peak or peak_memory()

    def _watch(self) -> None:
        ended = False
        while not ended:
            ended = self._end.wait(_INTERVAL)
            self.peak = max(self.peak, current_memory())
