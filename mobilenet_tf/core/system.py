"""The computer that measurements are made on."""

import platform
import subprocess
import sys
from os import cpu_count
from pathlib import Path
from typing import Any

# What Linux says of a processor: its name on a PC, the designs of its cores elsewhere.
_NAMES = ("model name", "cpu model", "cpu", "uarch")
_DESIGNS = ("CPU implementer", "CPU variant", "CPU part")


def processor() -> str:
    """Return the name of the CPU, or only its architecture where nothing more is known."""
    return known_processor() or platform.processor() or platform.machine()


def known_processor() -> str:
    """Return what tells this CPU from others of its architecture; empty if nothing does."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()
    found = [_text("/proc/device-tree/model").strip("\0\n ")]  # the board
    for line in _text("/proc/cpuinfo").splitlines():
        field, _, value = (part.strip() for part in line.partition(":"))
        if field in _NAMES:
            found.append(value)
        elif field in _DESIGNS:
            found.append(f"{field} {value}")
    return ", ".join(filter(None, dict.fromkeys(found)))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def machine() -> dict[str, Any]:
    """Return the name of the CPU and its number of cores."""
    return {"cpu": processor(), "cores": cpu_count()}
