"""Ratios that hold on a noisy machine: everything in one process, in turn."""

import time
from collections.abc import Callable

import numpy as np


def interleaved(
    calls: dict[str, Callable[[], object]], rounds: int = 40, seconds: float = 0.02
) -> dict[str, np.ndarray]:
    """Time several calls in turn.

    Args:
        calls: name -> what to time.
        rounds: each call has one sample per round, in a new order each round.
        seconds: a sample repeats its call for about so long.

    Returns:
        Name -> milliseconds per call, one per round: samples of one round belong together.
    """
    repeats = {}
    for name, call in calls.items():
        for _ in range(5):
            call()
        started = time.perf_counter()
        call()
        repeats[name] = max(1, round(seconds / max(time.perf_counter() - started, 1e-6)))
    samples = {name: np.zeros(rounds) for name in calls}
    random = np.random.default_rng(0)
    for turn in range(rounds):
        for name in random.permutation(list(calls)):
            started = time.perf_counter()
            for _ in range(repeats[name]):
                calls[name]()
            samples[name][turn] = 1e3 * (time.perf_counter() - started) / repeats[name]
    return samples


def ratio(slow: np.ndarray, fast: np.ndarray) -> tuple[float, float, float]:
    """Median, lower and upper quartile of how many times faster `fast` is, round by round."""
    quartiles = np.percentile(slow / fast, (50, 25, 75))
    return tuple(float(value) for value in quartiles)
