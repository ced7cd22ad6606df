"""What all cores emulated by QEMU share: Debian's tools, and the counting of instructions.

A plugin counts them. It is compiled for each emulator.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.text import clean

_COUNTED = re.compile(r"^instructions (\d+)$", re.MULTILINE)
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_SHOWN = 200  # characters of a reason


def missing_packages(tools: Mapping[str, str]) -> list[str]:
    """Return the Debian packages that are absent.

    Args:
        tools: A command, or the absolute path of a file -> the package that it comes from.
    """
    absent = (
        package
        for tool, package in tools.items()
        if shutil.which(tool) is None and not Path(tool).is_file()
    )
    return sorted(set(absent))


def require_packages(what: str, missing: Sequence[str]) -> None:
    """Reject a machine on which packages are missing.

    Args:
        what: What needs them, as the beginning of a sentence.
        missing: The missing packages.

    Raises:
        UserError: There are any; the message lists them.
    """
    if missing:
        raise UserError(f"{what} needs these Debian packages: {' '.join(missing)}.")


def version_of(command: Sequence[str]) -> str:
    """Return the first version number that a command prints."""
    return _VERSION.findall(output(command))[0]


def build_plugin(out: Path) -> Path:
    """Compile the plugin that counts instructions into a folder.

    Raises:
        UserError: It does not compile.
    """
    plugin = out / "count_instructions.so"
    with resources.as_file(
        resources.files("mobilenet_tf.deployment.devices") / "count_instructions.c"
    ) as source:
        options = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        output(["gcc", *options, str(source), "-o", str(plugin)])
    return plugin


def symbols(program: Path, cross: str) -> dict[str, str]:
    """Return name -> address of the symbols of a program.

    Args:
        program: An ELF file, linked at fixed addresses.
        cross: Prefix of its compiler's tools, such as `arm-none-eabi-`.
    """
    lines = output([f"{cross}nm", str(program)]).splitlines()
    return {words[2]: f"0x{words[0]}" for words in map(str.split, lines) if len(words) == 3}


def counting(plugin: Path, begin: str, end: str) -> list[str]:
    """Return the options that make QEMU count from one address to another; see `counts`."""
    return ["-plugin", f"{plugin},begin={begin},end={end}", "-d", "plugin"]


def counts(log: str) -> list[int]:
    """Return the numbers of instructions that the plugin wrote to QEMU's log."""
    return [int(count) for count in _COUNTED.findall(log)]


def output(command: Sequence[str]) -> str:
    """Run a tool and return what it prints.

    Raises:
        UserError: It fails; the message has its first line about an error.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = clean((lines or ["no reason given"])[0], _SHOWN).rstrip(".")
        raise UserError(f"{command[0]} fails: {reason}.")
    return done.stdout
