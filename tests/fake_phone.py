"""A program named adb that answers like a phone with benchmark_model."""

import os
import stat
from pathlib import Path

import pytest

ADB = """#!/bin/sh
echo "$*" >> "$LOG"
case "$1 $2" in
  devices*) printf 'List of devices attached\\nserial1\\tdevice\\n%s' "$EXTRA" ;;
  push*) ;;
  *getprop*) echo "Fake 9" ;;
  *"test -x"*) echo "$TOOL" ;;
  *"pm list"*) echo "$APP" ;;
  *run-as*) [ -z "$REFUSES" ] || { echo "run-as: package not debuggable"; exit 1; } ;;
  *cat*) echo '{"model": "x", "median_ms": 0.75, "p90_ms": 0.9}' ;;
  *benchmark_model*) cat "$OUTPUT" ;;
esac
"""
# The tool's output, shortened; the first summary is that of loading.
OUTPUT = """INFO: Explicitly applied XNNPACK delegate, and the model graph will be executed.
INFO: count=9 first=3000 curr=2000 min=2000 max=3000 avg=2500 std=9 p5=2000 median=2500 p95=2900
INFO: count=10 first=1300 curr=1200 min=1200 max=1400 avg=1250 std=9 p5=1200 median=1234.5 p95=1400
INFO: Inference timings in us: Init: 9, First inference: 3000, Inference (avg): 1250
INFO: Memory footprint delta from the start of the tool (MB): init=1.0 overall=2.5
INFO: Profiling Info for Benchmark Initialization:
=========== Summary by node type ===========
\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]
\t         AllocateTensors\t        1\t     9.000\t   100.000%

INFO: Operator-wise Profiling Info for Regular Benchmark Runs:
=========== Summary by node type ===========
\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]
\t    TfLiteXNNPackDelegate\t        1\t     1.200\t   100.000%

=========== Summary by node type ===========
\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]
\t   Add (ND, QS8)\t        1\t     0.100\t   8.000%
\t   Convolution (NHWC, QC8) IGEMM\t        3\t     1.100\t   92.000%

"""


def connect(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Put the program into a folder that is searched first; return the log of its arguments."""
    adb = folder / "bin" / "adb"
    adb.parent.mkdir()
    adb.write_text(ADB)
    adb.chmod(adb.stat().st_mode | stat.S_IEXEC)
    (folder / "output").write_text(OUTPUT)
    values = {"TOOL": "yes", "APP": "", "EXTRA": "", "REFUSES": "", "OUTPUT": folder / "output"}
    for name, value in {**values, "LOG": folder / "log"}.items():
        patch.setenv(name, str(value))
    patch.setenv("PATH", f"{adb.parent}{os.pathsep}{os.environ['PATH']}")
    return folder / "log"
