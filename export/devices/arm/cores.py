"""The cores that are emulated, each for one generation of phones' processors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """A kind of core.

    Attributes:
        name: The device's name.
        cpu: QEMU's name for it.
        part: Arm's part number, by which XNNPACK recognises a core.
        macs_per_instruction: The most multiply-adds of int8 in one instruction: smull, sdot and
            smmla have 8, 16 and 32.
    """

    name: str
    cpu: str
    part: int
    macs_per_instruction: int


# QEMU 7.2 has no core with i8mm but `max`, whose SVE and SME phones lack. To XNNPACK it is an A76
# that has i8mm in addition.
CORES = {
    core.name: core
    for core in (
        Core("cortex-a53", "cortex-a53", 0xD03, 8),
        Core("cortex-a76", "cortex-a76", 0xD0B, 16),
        Core("arm-i8mm", "max,sve=off,sme=off", 0xD0B, 32),
    )
}

# XNNPACK reads this file. Without an emulated one it would read that of the host, and crash.
_CPUINFO = """\
processor\t: 0
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part:#05x}
CPU revision\t: 0

"""


def cpuinfo(core: Core) -> str:
    """Return what `/proc/cpuinfo` says on a core."""
    return _CPUINFO.format(part=core.part)
