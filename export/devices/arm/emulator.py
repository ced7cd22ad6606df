"""Run `.tflite` files on an emulated core of a phone, and count instructions.

QEMU runs a small program (`runner.c`) with a runtime's own library for AArch64. No Python runs in
the emulator.
"""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.text import clean
from mobilenet_tf.deployment.devices import qemu
from mobilenet_tf.deployment.devices.arm.cores import Core, cpuinfo
from mobilenet_tf.deployment.devices.arm.library import litert_library, litert_version
from mobilenet_tf.deployment.devices.arm.toolchain import CROSS, SYSTEM, missing_packages
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.parse import DTYPES, parse_model
from mobilenet_tf.deployment.tflite.server import random_input

# The program is linked at fixed addresses; the libraries' own libraries are found by its RPATH.
_FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-no-pie", "-Wl,--disable-new-dtags")
_SECONDS = 600  # of one process
_MEMORY = "4G"  # address space of a program
_RUNS = 2  # of a file whose instructions are counted; the first one also prepares
_SHOWN = 200  # characters of a reason, or of the names of files


@dataclass(frozen=True)
class Runtime:
    """A library that runs files.

    Attributes:
        name: Name and version.
        library: The library, for AArch64.
        source: The C file that implements `runner.h` with it.
        flags: What the compiler needs in addition.
    """

    name: str
    library: Path
    source: Path
    flags: tuple[str, ...] = ()


class Emulator:
    """An emulated core with a runtime, ready to run files: a `Meter` of instructions.

    Attributes:
        core: The core.
        name: Everything that its counts depend on: core, emulator, runtime.
        said: What the runtime wrote to standard error in its last run.

    Args:
        core: The core.
        runtime: The runtime; None for LiteRT.

    Raises:
        UserError: Debian packages are absent, or LiteRT's library cannot be fetched.
    """

    lasting, quantity = True, "instructions"

    def __init__(self, core: Core, runtime: Runtime | None = None):
        qemu.require_packages(f"The device {core.name}", missing_packages())
        self.core, self.said = core, ""
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = Path(self._temporary.name)
        with resources.as_file(resources.files("mobilenet_tf.deployment.devices.arm")) as own:
            if runtime is None:
                runtime = Runtime(f"litert {litert_version()}", litert_library(), own / "litert.c")
            self._program = self._build(runtime, own)
        self._plugin = qemu.build_plugin(self._folder)
        # What programs see instead of the host's files.
        (self._folder / "lib").symlink_to(SYSTEM / "lib")
        (self._folder / "proc").mkdir()
        (self._folder / "proc" / "cpuinfo").write_text(cpuinfo(core), encoding="utf-8")
        version = qemu.version_of(["qemu-aarch64", "--version"])
        self.name = f"{core.name}, QEMU {version}, {runtime.name}"

    def _build(self, runtime: Runtime, own: Path) -> Path:
        program = self._folder / "runner"
        sources = [own / "runner.c", runtime.source]
        libraries = [runtime.library, f"-Wl,-rpath,{runtime.library.parent}"]
        command = [f"{CROSS}gcc", *_FLAGS, f"-I{own}", *sources, *libraries, *runtime.flags]
        qemu.output([*map(str, command), "-o", str(program)])
        return program

    def run(self, content: bytes, inputs: bytes, count: int, name: str = "The model") -> bytes:
        """Return the outputs of a file, one run after the other.

        Args:
            content: The file.
            inputs: Its inputs, one run after the other.
            count: Number of runs.
            name: What errors call the file.

        Raises:
            UserError: The emulator ends with an error, or not in time.
        """
        return self._start({name: content}, inputs, count)

    def lower_bound(self, macs: int) -> int:
        """Return the fewest instructions that compute so many multiply-adds of int8."""
        return macs // self.core.macs_per_instruction

    def measure(self, files: Mapping[str, bytes]) -> dict[str, float]:
        """Return the number of instructions of one run of each file, on random inputs.

        Args:
            files: What errors call a file -> the file.

        Raises:
            UserError: See `run`.
        """
        places = qemu.symbols(self._program, CROSS)
        log = self._folder / "log"
        counting = qemu.counting(self._plugin, places["before_run"], places["after_run"])
        inputs = b"".join(_RUNS * random_inputs(content) for content in files.values())
        self._start(files, inputs, _RUNS, [*counting, "-D", str(log)])
        found = qemu.counts(log.read_text(encoding="utf-8"))
        return dict(zip(files, found[_RUNS - 1 :: _RUNS], strict=True))

    def _start(
        self, files: Mapping[str, bytes], inputs: bytes, count: int, options: Sequence[str] = ()
    ) -> bytes:
        command = ["qemu-aarch64", "-cpu", self.core.cpu, "-R", _MEMORY, "-L", str(self._folder)]
        command += [*options, str(self._program), str(count)]
        for number, content in enumerate(files.values()):
            place = self._folder / f"{number}.tflite"
            place.write_bytes(_with_fixed_shapes(content))
            command.append(str(place))
        names = clean(", ".join(files), _SHOWN)
        failed = f"{names} cannot be run on the emulated {self.core.name}"
        try:
            done = subprocess.run(command, input=inputs, capture_output=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise UserError(f"{failed} within {_SECONDS} s.") from None
        self.said = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            lines = self.said.strip().splitlines()
            reason = clean((lines or ["no reason given"])[-1], _SHOWN).rstrip(".")
            raise UserError(f"{failed}: {reason}.")
        return done.stdout


def _with_fixed_shapes(content: bytes) -> bytes:
    """Return the file with a fixed batch of one picture, if the size of its batch is open."""
    model = parse_model(content)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    if all(tensor.shapeSignature is None for tensor in tensors):
        return content
    for tensor in tensors:
        tensor.shapeSignature = None
    return pack_shared(model)


def random_inputs(content: bytes) -> bytes:
    """Return random values for the inputs of a file."""
    graph = parse_model(content).subgraphs[0]
    random = np.random.default_rng(0)
    tensors = [graph.tensors[index] for index in graph.inputs]
    return b"".join(
        random_input(random, x.shape, np.dtype(DTYPES[x.type])).tobytes() for x in tensors
    )
