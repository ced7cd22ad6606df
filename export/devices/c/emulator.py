"""Build the example of an exported folder for a Cortex-M, and run it in QEMU."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices import qemu

BOARDS = {
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}
TOOLS = {  # -> Debian's package
    "qemu-system-arm": "qemu-system-arm",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "make": "make",
    "gcc": "gcc",
}
_LIBRARY = "libnewlib-arm-none-eabi"
_CROSS = "arm-none-eabi-"
_BEGIN, _END = "invoke", "cycles_stop"  # functions between which instructions are counted
_SECONDS = 300
_STACK = re.compile(r"stack (\d+) bytes")


@dataclass(frozen=True)
class CmsisNN:
    """Where the sources of CMSIS-NN are.

    Attributes:
        root: Folder with `Source` and `Include`.
        core: Folder of CMSIS-Core's headers, for versions that include them.
    """

    root: Path
    core: Path | None = None

    @property
    def variables(self) -> dict[str, str]:
        """Variables of the example's Makefile."""
        core = {} if self.core is None else {"CMSIS_CORE": str(self.core)}
        return {"CMSIS_NN": str(self.root), **core}


def find_cmsis_nn(folder: Path) -> CmsisNN | None:
    """Return CMSIS-NN somewhere below a folder; None if it is not there."""
    header = next(folder.rglob("arm_nnfunctions.h"), None)
    core = next(folder.rglob("cmsis_compiler.h"), None)
    if header is None:
        return None
    return CmsisNN(header.parents[1], None if core is None else core.parent)


@dataclass(frozen=True)
class Firmware:
    """A compiled example.

    Attributes:
        elf: The program.
        core: One of `BOARDS`.
        code: Bytes of the code of the network and of its kernels.
        constants: Bytes of their constants.
        static_ram: Bytes of their variables.
    """

    elf: Path
    core: str
    code: int
    constants: int
    static_ram: int


@dataclass(frozen=True)
class Execution:
    """A run of a firmware.

    Attributes:
        code: Exit code; 0 if all scores are the verified ones.
        output: What it printed.
        instructions: Number per picture; empty without the plugin.
    """

    code: int
    output: str
    instructions: list[int] = field(default_factory=list)

    @property
    def stack(self) -> int:
        """Most bytes of stack."""
        return max(map(int, _STACK.findall(self.output)), default=0)


def missing_packages() -> list[str]:
    """Return the Debian packages that are needed and absent."""
    missing = qemu.missing_packages(TOOLS)
    has_compiler = TOOLS[f"{_CROSS}gcc"] not in missing
    return missing + ([_LIBRARY] if has_compiler and not _has_library() else [])


def _has_library() -> bool:
    return "/" in qemu.output([f"{_CROSS}gcc", "-print-file-name=rdimon.specs"])


def versions() -> dict[str, str]:
    """Return the versions of compiler and emulator."""
    return {
        "gcc": qemu.version_of([f"{_CROSS}gcc", "-dumpfullversion"]),
        "QEMU": qemu.version_of(["qemu-system-arm", "--version"]),
    }


def build(
    folder: Path, out: Path, core: str, cmsis_nn: CmsisNN | None = None, extra: str = ""
) -> Firmware:
    """Build the example of an exported folder; warnings are errors.

    Args:
        folder: What `export --target c` wrote.
        out: Where to build.
        core: One of `BOARDS`.
        cmsis_nn: The kernels; None for the portable ones.
        extra: Further options of the compiler for the files of the folder.

    Raises:
        UserError: A tool is absent, or the compiler refuses a file.
    """
    qemu.require_packages("The example", missing_packages())
    variables = {"BOARD": BOARDS[core], "BUILD": str(out), "EXTRA": extra}
    variables |= {} if cmsis_nn is None else cmsis_nn.variables
    command = ["make", "-s", "-j2", "-C", str(folder / "example"), *_settings(variables)]
    qemu.output(command)
    elf = out / "firmware.elf"
    return Firmware(elf, core, **_sizes(out / "firmware.map"))


def _settings(variables: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]


def _sizes(linked: Path) -> dict[str, int]:
    """Read from the linker's map what the network, its kernels and CMSIS-NN take.

    Start-up, the C library and the golden pictures are the example's; decoding is the answer's.
    """
    sizes = dict.fromkeys(("code", "constants", "static_ram"), 0)
    kinds = {"text": "code", "rodata": "constants", "bss": "static_ram", "data": "static_ram"}
    text = linked.read_text(encoding="utf-8").partition("Linker script and memory map")[2]
    # " .text.name  0xADDRESS  0xSIZE  FILE"; a long name is on a line of its own.
    for kind, size, file in re.findall(
        r"^ \.(text|rodata|bss|data)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+\.o)$", text, re.MULTILINE
    ):
        name = Path(file).name
        is_kernel = name.startswith("mtf_") and not name.startswith("mtf_decode")
        if "cmsis-nn" in file or is_kernel or name == "model.o":
            sizes[kinds[kind]] += int(size, 16)
    return sizes


def run(firmware: Firmware, plugin: Path | None = None) -> Execution:
    """Run a firmware in QEMU.

    Args:
        firmware: From `build`.
        plugin: From `qemu.build_plugin`, to count instructions.

    Raises:
        UserError: It does not end in time.
    """
    command = ["qemu-system-arm", "-M", BOARDS[firmware.core], "-nographic", "-monitor", "none"]
    command += ["-serial", "none", "-semihosting-config", "enable=on,target=native"]
    command += ["-icount", "shift=0", "-kernel", str(firmware.elf)]
    if plugin is not None:
        command += qemu.counting(plugin, *_addresses(firmware.elf))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise UserError(
            f"The firmware does not end within {_SECONDS} s on the emulated {firmware.core}."
        ) from None
    return Execution(done.returncode, done.stdout, qemu.counts(done.stderr))


def _addresses(elf: Path) -> tuple[str, str]:
    """Return the addresses of the network's function, and of what the example calls after it."""
    places = qemu.symbols(elf, _CROSS)
    (begin,) = (name for name in places if name.endswith(f"_{_BEGIN}"))
    return places[begin], places[_END]
