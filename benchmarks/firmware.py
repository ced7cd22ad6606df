"""Networks as plain C on emulated Cortex-M cores: docs/firmware.md, and a table in the guide.

    make test-firmware                  # installs compiler, emulator and CMSIS-NN
    python -m benchmarks.firmware

Instructions are counted by QEMU, bytes are read from the linker's map. Weights are random: neither
depends on what a network has learned.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.firmware_page import CLASSES, SECTION, write_page
from benchmarks.sections import ROOT
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c import emulator
from mobilenet_tf.deployment.devices.c.folder import CForm, c_contents
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.interpreter import record_arena
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.qemu import build_plugin
from mobilenet_tf.deployment.tflite.compressed.compress import NONE
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

NETWORKS = (("v1", 0.25, 96), ("v2", 0.35, 96), ("v3_small", 0.75, 96), ("v4_conv_s", 0.35, 96))
_PICTURES = 4


def measure() -> dict[str, Any]:
    """Return the content of docs/firmware.json.

    Raises:
        UserError: A tool or CMSIS-NN is absent, or a firmware's scores are wrong.
    """
    cmsis_nn = emulator.find_cmsis_nn(ROOT / "build" / "cmsis_nn")
    if cmsis_nn is None:
        raise UserError("build/cmsis_nn has no CMSIS-NN; `make test-firmware` installs it.")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        plugin = build_plugin(Path(name))
        for configuration in NETWORKS:
            network = make_network(*configuration, CLASSES)
            content = int8_file(network)
            folder = Path(name) / network.name
            export_c(network, content, folder)
            builds = [
                measured(folder, core, kernels, plugin)
                for core in emulator.BOARDS
                for kernels in (None, cmsis_nn)
            ]
            rows.append({**_facts(network, content), "builds": builds})
    return {"versions": emulator.versions(), "rows": rows}


def export_c(
    network: Network, content: bytes, folder: Path, compress: str = NONE
) -> dict[str, Any]:
    """Write a network's folder of C, and return its facts; see `c_contents`."""
    shape = (_PICTURES, *network.input.shape)
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    labels = tuple(f"class {number}" for number in range(CLASSES))
    model = Int8Model(
        content=content,
        network=network,
        labels=labels,
        title=network.title,
        pictures=pictures,
        compress=compress,
    )
    facts, contents = c_contents(model)
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return facts


def _facts(network: Network, content: bytes) -> dict[str, Any]:
    """Return what does not depend on the compiler, and the interpreter's needs."""
    small = CForm(content).small
    return {
        "model": network.name,
        "alpha": network.alpha,
        "size": network.input.side,
        "macs": count(network).macs,
        "interpreter": {
            "bytes": len(small),
            "arena": record_arena(small).needed,
            **{core: scratch_beyond(small, core) for core in CORES},
        },
    }


def measured(
    folder: Path, core: str, kernels: emulator.CmsisNN | None, plugin: Path
) -> dict[str, Any]:
    """Return what a folder of C needs on a core.

    Raises:
        UserError: The firmware's scores are wrong.
    """
    firmware = emulator.build(folder, folder / f"{core}-{kernels is not None}", core, kernels)
    done = emulator.run(firmware, plugin)
    if done.code != 0:
        raise UserError(f"The firmware for {core} fails: {done.output}")
    return {
        "core": core,
        "kernels": "portable" if kernels is None else "CMSIS-NN",
        "instructions": round(float(np.mean(done.instructions))),
        "code": firmware.code,
        "constants": firmware.constants,
        "static_ram": firmware.static_ram,
        "stack": done.stack,
    }


def main() -> None:
    """Measure, and write docs/firmware.json and what is rendered from it."""
    SECTION.save(measure())
    write_page()


if __name__ == "__main__":
    main()
