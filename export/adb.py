"""Time a `.tflite` on a connected Android phone with TensorFlow Lite's `benchmark_model`."""

import re
import shutil
import subprocess
from pathlib import Path

from mobilenet_tf.errors import UserError

FOLDER = "/data/local/tmp"
TOOL = f"{FOLDER}/benchmark_model"
_AVERAGE = re.compile(r"Inference \(avg\):\s*([\d.e+]+)")
_MEMORY = re.compile(r"overall=([\d.]+)")


def benchmark_phone(files: list[Path], threads: int = 1, runs: int = 50) -> list[dict]:
    """Run each file on the phone.

    Returns:
        Per file: file, threads, mean_ms, peak_memory_bytes (None if the tool does not say).

    Raises:
        UserError: there is no adb, not exactly one phone, no `benchmark_model` on it, or the
            tool refuses a file.
    """
    _require_phone()
    results = []
    for path in files:
        if not path.is_file():
            raise UserError(f"{path} does not exist; a .tflite file is needed.")
        there = f"{FOLDER}/mobilenet_tf.tflite"
        _adb("push", str(path), there)
        options = f"--graph={there} --num_threads={threads} --num_runs={runs} --use_xnnpack=true"
        said = _adb("shell", f"{TOOL} {options}")
        average = _AVERAGE.search(said)
        if average is None:
            raise UserError(f"The phone's benchmark_model gives no time for {path}.")
        memory = _MEMORY.search(said)
        results.append(
            {
                "file": str(path),
                "threads": threads,
                "mean_ms": float(average[1]) / 1e3,
                "peak_memory_bytes": int(float(memory[1]) * 1024**2) if memory else None,
            }
        )
    return results


def _require_phone() -> None:
    if shutil.which("adb") is None:
        raise UserError("--adb needs Android's adb on the PATH, and there is none.")
    lines = _adb("devices").splitlines()[1:]
    phones = [line.split()[0] for line in lines if line.strip().endswith("\tdevice")]
    if len(phones) != 1:
        raise UserError(f"--adb needs one connected phone, and adb lists {len(phones)}.")
    if "yes" not in _adb("shell", f"test -x {TOOL} && echo yes || true"):
        raise UserError(f"The phone has no {TOOL}; push TensorFlow Lite's benchmark_model there.")


def _adb(*arguments: str) -> str:
    done = subprocess.run(["adb", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise UserError(f"adb {arguments[0]} failed: {said[-1].rstrip('.')}.")
    return done.stdout + done.stderr
