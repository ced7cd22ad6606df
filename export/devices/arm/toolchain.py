"""Debian's compiler and libraries for AArch64, and the emulator."""

from pathlib import Path

from mobilenet_tf.deployment.devices import qemu

SYSTEM = Path("/usr/aarch64-linux-gnu")  # where Debian puts C and C++ libraries for AArch64
TOOLS = {  # command or file -> Debian's package
    "qemu-aarch64": "qemu-user",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    f"{SYSTEM}/include/stdio.h": "libc6-dev-arm64-cross",
    f"{SYSTEM}/lib/libstdc++.so.6": "libstdc++6-arm64-cross",
    "gcc": "gcc",
}
CROSS = "aarch64-linux-gnu-"


def missing_packages() -> list[str]:
    """Return the Debian packages that are needed and absent."""
    return qemu.missing_packages(TOOLS)
