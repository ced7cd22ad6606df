"""Count the instructions of parts of networks as plain C, on an emulated Cortex-M.

The example's Makefile builds a firmware for each part; the kernels are compiled once. Numbers of
instructions do not depend on the values of large arrays, so these are zeros, which need no flash.
"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mobilenet_tf import __version__
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices import qemu
from mobilenet_tf.deployment.devices.c import emulator
from mobilenet_tf.deployment.devices.c.folder import EXAMPLE, SOURCES, CForm
from mobilenet_tf.deployment.devices.c.source import TYPES, Source
from mobilenet_tf.deployment.devices.firmware.files import shared_templates
from mobilenet_tf.deployment.devices.templates import fill

_LARGE = 1024  # elements of arrays that become zeros
# Memory of the emulated boards that is large enough for any part.
_RAM = {
    "mps2-an386": "ORIGIN = 0x21000000, LENGTH = 16M",
    "mps2-an500": "ORIGIN = 0x21000000, LENGTH = 16M",
    "mps2-an505": "ORIGIN = 0x80000000, LENGTH = 16M",
    "mps3-an547": "ORIGIN = 0x60000000, LENGTH = 256M",
}
_RAM_LINE = re.compile(r"(?<=RAM \(rwx\) : ).*")
_MAIN = """\
#include "cycles.h"
#include "model.h"

static int8_t output[{bytes}];

int main(void) {{
  const int error = model_invoke(model_input(), output);
  cycles_stop();
  return error;
}}
"""


class _Zeros(Source):
    """A program as C, with zeros for its large arrays."""

    def _array_texts(self) -> Iterable[str]:
        sizes = [array.size for _, array in self._constants.values()]
        yield f"int8_t zeros[{max(sizes, default=1)}] ALIGNED;"
        for (kind, _), (name, array) in self._constants.items():
            if kind == TYPES["int8"] and array.size > _LARGE:
                yield f"#define {name} zeros"
            else:
                yield self._array_text(kind, name, array)


class Counter:
    """An emulated Cortex-M with the portable kernels: a `Meter` of instructions.

    Attributes:
        name: Everything that its counts depend on: core, emulator, compiler, kernels.

    Args:
        core: One of `emulator.BOARDS`.

    Raises:
        UserError: Debian packages are absent.
    """

    lasting, quantity = True, "instructions"

    def __init__(self, core: str):
        qemu.require_packages(f"The device {core}", emulator.missing_packages())
        self.core = core
        versions = ", ".join(f"{name} {number}" for name, number in emulator.versions().items())
        self.name = f"{core}, plain C, portable kernels, {versions}, mobilenet_tf {__version__}"
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = Path(self._temporary.name)
        self._plugin = qemu.build_plugin(self._folder)
        self._write(_templates({}))

    def lower_bound(self, macs: int) -> int:
        """Return the number of instructions if each did one multiply-add."""
        return macs

    def measure(self, files: Mapping[str, bytes]) -> dict[str, float]:
        """Return the number of instructions of one run of each file.

        Args:
            files: What errors call a file -> the file, with int8 input and output.

        Raises:
            UserError: An operator has no form in C, or the firmware fails.
        """
        return {name: self._count(name, content) for name, content in files.items()}

    def _count(self, name: str, content: bytes) -> int:
        source = _Zeros(CForm(content).source.program)
        program = source.program
        arenas = {f"arena_{kind}": layout.size for kind, layout in source.layouts.items()}
        taken = program.lives[program.input].aligned_size
        given = sum(program.lives[root].aligned_size for root in program.outputs)
        # Only model_io.h has the sides of the input, and the classes for the labels.
        values = {**arenas, "height": 1, "width": 1, "channels": taken, "classes": 1, "labels": "0"}
        files = _templates({**values, "title": "", **source.texts()})
        own = {file: files[file] for file in ("src/model.c", "src/model.h", "src/model_io.h")}
        self._write(own | {"example/main.c": _MAIN.format(bytes=given).encode()})
        firmware = emulator.build(self._folder, self._folder / "build", self.core)
        done = emulator.run(firmware, self._plugin)
        if done.code or len(done.instructions) != 1:
            raise UserError(f"{name} cannot be run on the emulated {self.core}: {done.output}.")
        return done.instructions[0]

    def _write(self, contents: Mapping[str, bytes]) -> None:
        for name, content in contents.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _templates(values: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a firmware, without pictures, for a board with enough memory."""
    files = fill("mobilenet_tf.deployment.devices.c", defaultdict(str, values))
    used = {
        name: content
        for name, content in files.items()
        if name.startswith(("src/kernels/", "src/model.", EXAMPLE))
    }
    used[f"{SOURCES}model_io.h"] = shared_templates(defaultdict(str, values))["model_io.h"]
    for board, memory in _RAM.items():
        name = f"example/{board}.ld"
        used[name] = _RAM_LINE.sub(memory, used[name].decode()).encode()
    return used
