"""The computer that figures are measured on, and what is installed there."""

import platform
from importlib.metadata import PackageNotFoundError, version
from os import cpu_count
from pathlib import Path

from mobilenet_tf.core.errors import UserError


def processor() -> str:
    """The name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine() -> dict:
    """Its CPU and how many cores there are."""
    return {"cpu": processor(), "cores": cpu_count()}


def extra_version(package: str) -> str:
    """The version of a package of the extra `micro`.

    Raises:
        UserError: it is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise UserError(
            f"{package} is not installed, so nothing can be proven for microcontrollers and NPUs; "
            'install the extra: pip install "mobilenet_tf[micro]".'
        ) from None
