"""Time several things on a noisy machine so that their ratio holds: in turns, in one process."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

SLICE = 0.002  # seconds at least per turn, so that the clock and the switch do not count


def interleaved(
    runs: Mapping[str, Callable[[], None]],
    rounds: int,
    progress: Callable[[int, int], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, np.ndarray]:
    """Milliseconds per call: name -> one value per round, all names in turn in every round.

    Each is first called until it is warm, and then as often per turn as fills `SLICE`. With
    `time.thread_time` as clock, waiting while other programs have the processor is not counted;
    it is for work in one thread only.
    """
    repeats = {name: _warm_up(run) for name, run in runs.items()}
    found = {name: np.empty(rounds) for name in runs}
    for turn in range(rounds):
        for name, run in runs.items():
            count = repeats[name]
            start = clock()
            for _ in range(count):
                run()
            found[name][turn] = (clock() - start) / count * 1e3
        if progress:
            progress(turn + 1, rounds)
    return found


def _warm_up(run: Callable[[], None]) -> int:
    """Calls per turn."""
    run()
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return max(1, int(np.ceil(SLICE / max(best, 1e-6))))


def summary(values: np.ndarray) -> dict[str, float]:
    """median, and the spread: p10 and p90; milliseconds."""
    low, middle, high = np.percentile(values, (10, 50, 90))
    return {"median_ms": float(middle), "p10_ms": float(low), "p90_ms": float(high)}


def compared(
    times: Mapping[tuple[str, int], np.ndarray], name: str, first: str, threads: Sequence[int]
) -> dict[str, dict]:
    """Count of threads -> `summary`, and ratio: to `first`, the median of those per round.

    Args:
        times: (file, threads) -> milliseconds per round, of files that took turns.
    """
    return {
        str(count): summary(times[name, count])
        | {"ratio": float(np.median(times[name, count] / times[first, count]))}
        for count in threads
    }
