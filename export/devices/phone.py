"""Time `.tflite` files on a connected Android phone.

With TensorFlow Lite's `benchmark_model` if it lies on the phone; otherwise with the demo app, into
whose storage the file is put (`./gradlew installDebug` makes it allow that).
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.benchmark import check_request
from mobilenet_tf.deployment.devices.timing import compared
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.parse import read_file

FOLDER = "/data/local/tmp"
TOOL = f"{FOLDER}/benchmark_model"
APP = "mobilenet.tf.demo"
APP_RESULT = f"/sdcard/Android/data/{APP}/files/benchmark.json"
_APP_SECONDS = 60  # until its answer is given up
_TURNS = 5  # of each file: the tool is a process each time, so a turn has many runs
_THERE = f"{FOLDER}/mobilenet_tf.tflite"
_AVERAGE = re.compile(r"Inference \(avg\):\s*([\d.e+]+)")
_MEDIAN = re.compile(r"\bmedian=([\d.e+]+)")
_MEMORY = re.compile(r"overall=([\d.]+)")
_PROFILE, _SUMMARY = "Profiling Info for Regular Benchmark Runs", "Summary by node type"
_DELEGATE = "TfLiteXNNPackDelegate"


class Phone:
    """The one phone that adb lists, as a `latency.Machine`.

    Args:
        threads: of its CPU.

    Raises:
        UserError: there is no adb, not exactly one phone, or nothing on it that can measure.
    """

    def __init__(self, threads: int = 1):
        _require_phone()
        self.threads = threads
        self.tool = _tool()
        model = _adb("shell", "getprop ro.product.model").strip() or "phone"
        self.name = f"{model}, {self.tool}, {threads} threads"

    def run(self, content: bytes, called: str, runs: int, profile: bool = False) -> dict:
        """milliseconds, memory (bytes or None), ops (name -> count, ms; empty without `profile`).

        Raises:
            UserError: the phone refuses the file.
        """
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder) / "model.tflite"
            here.write_bytes(content)
            _adb("push", str(here), _THERE)
        measure = _run_tool if self.tool == "benchmark_model" else _run_app
        return measure(called, self.threads, runs, profile)

    def times(self, files: dict[str, bytes]) -> dict[str, float]:
        """Milliseconds of each file alone."""
        return {name: self.run(f, name, _TURNS)["milliseconds"] for name, f in files.items()}


def benchmark_phone(
    files: Sequence[Path],
    threads: Sequence[int] = (1,),
    runs: int = 50,
    profile: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict:
    """Measure files side by side on the phone.

    Returns:
        As `benchmark.benchmark`; bytes, partitions and left_out are what this computer finds, and
        memory is None and ops are empty where the demo app measures.

    Raises:
        UserError: see `Phone`; a file cannot be read; or the phone refuses it.
    """
    check_request(files, threads, runs)
    phones = {count: Phone(count) for count in threads}
    contents = {str(path): read_file(path)[0] for path in files}
    facts = {name: inspect(name) for name in contents}
    times = {(name, count): [] for name in contents for count in threads}
    memory = {}
    for turn in range(_TURNS):
        for (name, count), values in times.items():
            found = phones[count].run(contents[name], name, max(1, runs // _TURNS))
            values.append(found["milliseconds"])
            memory.setdefault(name, found["memory"])
        if progress:
            progress(turn + 1, _TURNS)
    first = phones[threads[0]]
    arrays = {key: np.array(values) for key, values in times.items()}
    return {
        "processor": first.name,
        "rounds": _TURNS,
        "files": [
            {
                "file": name,
                "bytes": len(content),
                "partitions": facts[name]["delegate"]["partitions"],
                "left_out": facts[name]["delegate"]["left_out"],
                "peak_memory_bytes": memory[name],
                "threads": compared(arrays, name, str(files[0]), threads),
                "ops": first.run(content, name, runs, profile=True)["ops"] if profile else {},
            }
            for name, content in contents.items()
        ],
    }


def _run_tool(called: str, threads: int, runs: int, profile: bool) -> dict:
    options = f"--graph={_THERE} --num_threads={threads} --num_runs={runs} --use_xnnpack=true"
    options += " --min_secs=0.1 --warmup_min_secs=0.1"
    said = _adb("shell", f"{TOOL} {options}{' --enable_op_profiling=true' if profile else ''}")
    # Older builds of the tool give no median; the last one is that of the measurement.
    found = _MEDIAN.findall(said) or _AVERAGE.findall(said)
    if not found:
        raise UserError(f"The phone's benchmark_model gives no time for {called}.")
    memory = _MEMORY.search(said)
    return {
        "milliseconds": float(found[-1]) / 1e3,
        "memory": int(float(memory[1]) * 1024**2) if memory else None,
        "ops": _ops(said),
    }


def _ops(said: str) -> dict[str, dict]:
    """Operator -> count, ms, of every summary of the runs; what XNNPACK did, by its own names."""
    found: dict[str, dict] = {}
    for table in said.partition(_PROFILE)[2].split(_SUMMARY)[1:]:
        for line in table.splitlines()[2:]:
            cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
            if len(cells) < 3 or not cells[1].isdigit():
                break
            found[cells[0]] = {"count": int(cells[1]), "ms": float(cells[2])}
    if len(found) > 1:
        found.pop(_DELEGATE, None)
    return dict(sorted(found.items(), key=lambda item: -item[1]["ms"]))


def _run_app(called: str, threads: int, runs: int, profile: bool) -> dict:
    name = "mobilenet_tf_benchmark"
    inside = f"mkdir -p files/models && cp {_THERE} files/models/{name}.tflite"
    _adb("shell", f"chmod 644 {_THERE} && rm -f {APP_RESULT} && run-as {APP} sh -c '{inside}'")
    start = f"am start -S -W -n {APP}/.BenchmarkActivity"
    _adb("shell", f"{start} --es model {name} --ei runs {runs} --ei threads {threads}")
    until = time.monotonic() + _APP_SECONDS
    while time.monotonic() < until:
        said = _adb("shell", f"cat {APP_RESULT} 2>/dev/null || true").strip()
        if said:
            return {"milliseconds": json.loads(said)["median_ms"], "memory": None, "ops": {}}
        time.sleep(0.2)
    raise UserError(
        f"The demo app gave no time for {called} within {_APP_SECONDS} s; its screen says why."
    )


def _require_phone() -> None:
    if shutil.which("adb") is None:
        raise UserError("--adb needs Android's adb on the PATH, and there is none.")
    lines = _adb("devices").splitlines()[1:]
    phones = [line.split()[0] for line in lines if line.strip().endswith("\tdevice")]
    if len(phones) != 1:
        raise UserError(f"--adb needs one connected phone, and adb lists {len(phones)}.")


def _tool() -> str:
    if "yes" in _adb("shell", f"test -x {TOOL} && echo yes || true"):
        return "benchmark_model"
    if f"package:{APP}" in _adb("shell", f"pm list packages {APP}").split():
        return "demo app"
    raise UserError(
        f"The phone has neither {TOOL} (TensorFlow Lite's tool, to be pushed there) nor the demo "
        "app (cd android_demo && ./gradlew installDebug)."
    )


def _adb(*arguments: str) -> str:
    done = subprocess.run(["adb", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise UserError(f"adb {arguments[0]} failed: {said[-1].rstrip('.')}.")
    return done.stdout + done.stderr
