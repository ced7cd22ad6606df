"""`benchmark`: how fast `.tflite` files are on this machine or a phone, or what they execute."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.outcomes.devices import Benchmark
from mobilenet_tf.core.bounds import check_threads, check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import bar
from mobilenet_tf.deployment.devices.arm.benchmark import benchmark_core
from mobilenet_tf.deployment.devices.arm.cores import CORES
from mobilenet_tf.deployment.devices.benchmark import benchmark as benchmark_cpu
from mobilenet_tf.deployment.devices.phone import benchmark_phone

DEVICES = ("cpu", "phone", *CORES)
_MOST_ROUNDS = 100_000


def benchmark(
    files: Sequence[str | Path],
    *,
    threads: Sequence[int] = (1,),
    rounds: int = 50,
    device: str = "cpu",
    profile: bool = True,
) -> Benchmark:
    """Measure the speed of files side by side.

    Args:
        files: `.tflite` files.
        threads: Numbers of CPU threads; every file is measured with each.
        rounds: Number of measurements of each file.
        device: `cpu` for this machine, `phone` for the phone that adb lists, or an emulated core,
            such as `cortex-a76`, on which instructions are counted and nothing is timed.
        profile: Whether to measure every operator as well.

    Raises:
        UserError: An unknown device; no phone; no emulator; or a file that cannot be measured.
    """
    if device not in DEVICES:
        raise UserError(f"device is {device!r}; it must be one of {', '.join(DEVICES)}.")
    for count in threads:
        check_threads(count)
    check_whole("rounds", rounds, 1, _MOST_ROUNDS)
    paths, unit = [Path(file) for file in files], "file" if device in CORES else "round"
    with bar() as progress:
        task = progress.add_task("Measuring", total=None, note="")

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, note=f"{unit} {done} of {total}")

        if device in CORES:
            return Benchmark(benchmark_core(paths, CORES[device], profile, update))
        measure: Callable[..., dict[str, Any]] = (
            benchmark_cpu if device == "cpu" else benchmark_phone
        )
        return Benchmark(measure(paths, threads, rounds, profile, update))
