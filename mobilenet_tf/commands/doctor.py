"""`doctor`: what is installed, and what each missing part would add."""

import platform
from collections.abc import Iterator
from typing import Any

from mobilenet_tf import __version__
from mobilenet_tf.commands.outcomes.machine import Installation
from mobilenet_tf.core.packages import PACKAGES
from mobilenet_tf.core.system import machine
from mobilenet_tf.deployment.devices import qemu
from mobilenet_tf.deployment.devices.arm import toolchain
from mobilenet_tf.deployment.devices.c import emulator, host


def doctor() -> Installation:
    """Find the packages and programs that commands use; nothing is imported or installed."""
    return Installation(
        version=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        **machine(),
        parts=[*_packages(), *_programs()],
    )


def _packages() -> Iterator[dict[str, Any]]:
    for package in PACKAGES:
        found = package.is_installed
        yield {
            "name": package.title,
            "installed": found,
            "version": package.version if found else "",
            "adds": package.adds,
            "install": "" if found else f'pip install "{package.requirement}"',
        }


def _programs() -> Iterator[dict[str, Any]]:
    compiler = [] if host.compiler() else ["gcc"]
    for name, missing, adds in (
        ("C compiler", compiler, "export --target mcu and c"),
        ("Cortex-M emulator", emulator.missing_packages(), "--device cortex-m4 to cortex-m55"),
        ("Cortex-A emulator", toolchain.missing_packages(), "--device cortex-a53 to arm-i8mm"),
        ("adb", qemu.missing_packages({"adb": "adb"}), "--device phone"),
        ("npm", qemu.missing_packages({"npm": "npm"}), "web, at its first use"),
    ):
        yield {
            "name": name,
            "installed": not missing,
            "version": "",
            "adds": adds,
            "install": " ".join(("apt install", *missing)) if missing else "",
        }
