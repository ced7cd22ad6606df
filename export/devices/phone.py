"""Time `.tflite` files on a connected Android phone.

TensorFlow Lite's `benchmark_model` is used if it is on the phone. Otherwise the demo app measures
files that are copied into its storage, which a debug build (`./gradlew installDebug`) allows.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.benchmark import check_request, file_facts
from mobilenet_tf.deployment.devices.timing import compared
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.parse import read_file

FOLDER = "/data/local/tmp"
TOOL = f"{FOLDER}/benchmark_model"
APP = "mobilenet.tf.demo"
APP_RESULT = f"/sdcard/Android/data/{APP}/files/benchmark.json"
_APP_SECONDS = 60  # to wait for the app's result
_TURNS = 5  # per file; each turn of the tool is a process with many runs
_PHONE_FILE = f"{FOLDER}/mobilenet_tf.tflite"
_AVERAGE = re.compile(r"Inference \(avg\):\s*([\d.e+]+)")
_MEDIAN = re.compile(r"\bmedian=([\d.e+]+)")
_MEMORY = re.compile(r"overall=([\d.]+)")
_PROFILE, _SUMMARY = "Profiling Info for Regular Benchmark Runs", "Summary by node type"
_DELEGATE = "TfLiteXNNPackDelegate"


class Phone:
    """The one phone that adb lists: a `Meter` of its latency.

    Args:
        threads: Number of the phone's CPU threads.

    Raises:
        UserError: There is no adb, not exactly one phone, or nothing on it that can measure.
    """

    quantity = "latency"

    def __init__(self, threads: int = 1):
        _require_phone()
        self.threads = threads
        self.tool = _tool()
        model = _adb("shell", "getprop ro.product.model").strip()
        self.lasting = bool(model)
        self.name = f"{model or 'phone'}, {self.tool}, {threads} threads"

    def run(self, content: bytes, name: str, runs: int, profile: bool = False) -> dict[str, Any]:
        """Measure a file.

        Args:
            content: The file.
            name: Its name in errors.
            runs: Number of inferences.
            profile: Whether to measure operators.

        Returns:
            milliseconds, memory (bytes, or None), ops (operator -> count, ms; empty without
            `profile`).

        Raises:
            UserError: The phone cannot run the file.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.tflite"
            file.write_bytes(content)
            _adb("push", str(file), _PHONE_FILE)
        measure = _run_tool if self.tool == "benchmark_model" else _run_app
        return measure(name, self.threads, runs, profile)

    def lower_bound(self, macs: int) -> None:
        """Return None: no time is known before it is measured."""

    def measure(self, files: dict[str, bytes]) -> dict[str, float]:
        """Return the milliseconds of each file, measured alone."""
        return {
            name: self.run(content, name, _TURNS)["milliseconds"] for name, content in files.items()
        }


def benchmark_phone(
    files: Sequence[Path],
    threads: Sequence[int] = (1,),
    runs: int = 50,
    profile: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure files side by side on the phone; for the arguments see `benchmark.benchmark`.

    Returns:
        As `benchmark.benchmark`. bytes, partitions and left_out are determined on this computer.
        If the demo app measures, memory is None and ops are empty.

    Raises:
        UserError: See `Phone`; a file cannot be read; or the phone cannot run it.
    """
    check_request(files, threads, runs)
    phones = {count: Phone(count) for count in threads}
    contents = {str(path): read_file(path)[0] for path in files}
    facts = {name: inspect(name) for name in contents}
    times: dict[tuple[str, int], list[float]] = {
        (name, count): [] for name in contents for count in threads
    }
    memory: dict[str, int | None] = {}
    for turn in range(_TURNS):
        for (name, count), values in times.items():
            found = phones[count].run(contents[name], name, max(1, runs // _TURNS))
            values.append(found["milliseconds"])
            memory.setdefault(name, found["memory"])
        if progress:
            progress(turn + 1, _TURNS)
    first = phones[threads[0]]
    arrays = {key: np.array(values) for key, values in times.items()}
    rows = [
        {
            **file_facts(name, content, facts[name]),
            "peak_memory_bytes": memory[name],
            "threads": compared(arrays, name, str(files[0]), threads),
            "ops": first.run(content, name, runs, profile=True)["ops"] if profile else {},
        }
        for name, content in contents.items()
    ]
    return {"processor": first.name, "rounds": _TURNS, "files": rows}


def _run_tool(name: str, threads: int, runs: int, profile: bool) -> dict[str, Any]:
    options = f"--graph={_PHONE_FILE} --num_threads={threads} --num_runs={runs} --use_xnnpack=true"
    options += " --min_secs=0.1 --warmup_min_secs=0.1"
    output = _adb("shell", f"{TOOL} {options}{' --enable_op_profiling=true' if profile else ''}")
    # Older builds of the tool print no median; the last one printed is that of the measurement.
    found = _MEDIAN.findall(output) or _AVERAGE.findall(output)
    if not found:
        raise UserError(f"The phone's benchmark_model gives no time for {name}.")
    memory = _MEMORY.search(output)
    return {
        "milliseconds": float(found[-1]) / 1e3,
        "memory": int(float(memory[1]) * 1024**2) if memory else None,
        "ops": _ops(output),
    }


def _ops(output: str) -> dict[str, dict[str, float]]:
    """Return operator -> count and ms, with XNNPACK's own names for what it executed."""
    found: dict[str, dict[str, float]] = {}
    for table in output.partition(_PROFILE)[2].split(_SUMMARY)[1:]:
        for line in table.splitlines()[2:]:
            cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
            if len(cells) < 3 or not cells[1].isdigit():
                break
            found[cells[0]] = {"count": int(cells[1]), "ms": float(cells[2])}
    if len(found) > 1:
        found.pop(_DELEGATE, None)
    return dict(sorted(found.items(), key=lambda item: -item[1]["ms"]))


def _run_app(name: str, threads: int, runs: int, profile: bool) -> dict[str, Any]:
    model = "mobilenet_tf_benchmark"
    inside = f"mkdir -p files/models && cp {_PHONE_FILE} files/models/{model}.tflite"
    _adb("shell", f"chmod 644 {_PHONE_FILE} && rm -f {APP_RESULT} && run-as {APP} sh -c '{inside}'")
    start = f"am start -S -W -n {APP}/.BenchmarkActivity"
    _adb("shell", f"{start} --es model {model} --ei runs {runs} --ei threads {threads}")
    deadline = time.monotonic() + _APP_SECONDS
    while time.monotonic() < deadline:
        text = _adb("shell", f"cat {APP_RESULT} 2>/dev/null || true").strip()
        if text:
            return {"milliseconds": json.loads(text)["median_ms"], "memory": None, "ops": {}}
        time.sleep(0.2)
    raise UserError(
        f"The demo app gave no time for {name} within {_APP_SECONDS} s; see the phone's screen."
    )


def _require_phone() -> None:
    if shutil.which("adb") is None:
        raise UserError("The device phone needs Android's adb on the PATH, and there is none.")
    lines = _adb("devices").splitlines()[1:]
    phones = [line.split()[0] for line in lines if line.strip().endswith("\tdevice")]
    if len(phones) != 1:
        raise UserError(f"The device phone needs one connected phone, and adb lists {len(phones)}.")


def _tool() -> str:
    if "yes" in _adb("shell", f"test -x {TOOL} && echo yes || true"):
        return "benchmark_model"
    if f"package:{APP}" in _adb("shell", f"pm list packages {APP}").split():
        return "demo app"
    raise UserError(
        f"The phone has neither {TOOL} (push TensorFlow Lite's tool there) nor the demo app "
        "(cd android_demo && ./gradlew installDebug)."
    )


def _adb(*arguments: str) -> str:
    done = subprocess.run(["adb", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise UserError(f"adb {arguments[0]} failed: {output[-1].rstrip('.')}.")
    return done.stdout + done.stderr
