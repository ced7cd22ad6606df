"""Read damaged files as a user would: `python -m tests.fuzz.run KIND FIRST_SEED COUNT`.

One process reads all of them. Standard output has an object of JSON per line: the seed before it is
read; what became of it, the seconds and the fault, if any; and, last, the peak memory in bytes.
"""

import json
import os
import re
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

# Kind -> the module of its function; some need TensorFlow, which is slow to start.
KINDS = {
    **dict.fromkeys(("tflite", "images", "texts", "runs"), "tests.fuzz.kinds"),
    **dict.fromkeys(("models", "states"), "tests.fuzz.keras_kinds"),
}


def peak() -> int:
    """Peak memory of this process in bytes; 0 where the system does not say."""
    try:
        text = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) * 1024


def main() -> None:
    """Read as many mutants as the command line says."""
    kind, first, count = sys.argv[1], *map(int, sys.argv[2:4])
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the readers print
    with tempfile.TemporaryDirectory() as folder:
        read = getattr(import_module(KINDS[kind]), kind)(Path(folder))
        for seed in range(first, first + count):
            lines.write(json.dumps({"seed": seed}) + "\n")
            start, found, fault = time.monotonic(), {}, None
            try:
                found = dict(read(seed))
            except Exception:
                fault = traceback.format_exc(limit=-5)
            seconds = time.monotonic() - start
            lines.write(json.dumps({"found": found, "seconds": seconds, "fault": fault}) + "\n")
    lines.write(json.dumps({"peak": peak()}) + "\n")


if __name__ == "__main__":
    main()
