"""Time several functions in turns in one process, so that noise affects all of them alike."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)
SLICE = 0.002  # minimum seconds per turn, so that the clock and the switch do not matter


def interleaved(
    runs: Mapping[Name, Callable[[], None]],
    rounds: int,
    progress: Callable[[int, int], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Name, np.ndarray]:
    """Return the milliseconds per call: name -> one value per round.

    In every round, each function has one turn. It is first called until it is warm, and then as
    often per turn as fills `SLICE`.

    Args:
        runs: Name -> function. One with an attribute `seconds`, which takes a number of calls and
            returns their time, is timed by that: it runs in another process.
        rounds: Number of rounds.
        progress: Called with (rounds done, rounds in all).
        clock: Returns seconds. `time.thread_time` does not count the time in which other programs
            have the processor; it is for functions that use one thread only.
    """
    repeats = {name: _warm_up(run) for name, run in runs.items()}
    found = {name: np.empty(rounds) for name in runs}
    for turn in range(rounds):
        for name, run in runs.items():
            count = repeats[name]
            found[name][turn] = _seconds(run, count, clock) / count * 1e3
        if progress:
            progress(turn + 1, rounds)
    return found


def _seconds(run: Callable[[], None], count: int, clock: Callable[[], float]) -> float:
    """Return how long `count` calls take."""
    timed = getattr(run, "seconds", None)
    if timed is not None:
        return timed(count)
    start = clock()
    for _ in range(count):
        run()
    return clock() - start


def _warm_up(run: Callable[[], None]) -> int:
    """Call a function a few times; return the number of calls per turn."""
    run()
    best = np.inf
    for _ in range(3):
        best = min(best, _seconds(run, 1, time.perf_counter))
    return max(1, int(np.ceil(SLICE / max(best, 1e-6))))


def percentiles(values: np.ndarray) -> dict[str, float]:
    """Return median_ms and the spread, p10_ms and p90_ms, of milliseconds."""
    low, middle, high = np.percentile(values, (10, 50, 90))
    return {"median_ms": float(middle), "p10_ms": float(low), "p90_ms": float(high)}


def compared(
    times: Mapping[tuple[str, int], np.ndarray], name: str, first: str, threads: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Compare a file with the first one.

    Args:
        times: (file, threads) -> milliseconds per round, of files that were timed in turns.
        name: The file.
        first: The file to compare with.
        threads: Numbers of threads.

    Returns:
        Number of threads -> `percentiles`, and ratio: the median of the ratios per round.
    """
    return {
        str(count): percentiles(times[name, count])
        | {"ratio": float(np.median(times[name, count] / times[first, count]))}
        for count in threads
    }
