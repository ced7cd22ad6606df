"""The computer that measurements are made on, and what is installed there."""

import platform
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError


def processor() -> str:
    """Return the name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """Return the name of the CPU and its number of cores."""
    return {"cpu": processor(), "cores": cpu_count()}


def extra_version(package: str) -> str:
    """Return the version of a package of the extra `micro`.

    Raises:
        UserError: The package is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise UserError(
            f"{package} is not installed, so nothing can be verified for microcontrollers and "
            'NPUs; install the extra: pip install "mobilenet_tf[micro]".'
        ) from None
