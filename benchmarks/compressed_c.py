"""Compressed kernels as plain C on emulated cores: a table in docs/compression.md.

    make test-firmware                  # installs compiler, emulator and CMSIS-NN
    python -m benchmarks.compressed_c

Weights are those of `benchmarks.compressed`, and those of forms that only plain C decodes, or that
it reads in place.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.compressed import (
    CLASSES,
    SIZE,
    WEIGHTS,
    with_hashed_weights,
    with_narrow_kernels,
    with_shared_weights,
    with_vectors,
)
from benchmarks.firmware import export_c, measured
from benchmarks.sections import ROOT, Section, markdown, paragraph
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c import emulator
from mobilenet_tf.deployment.devices.qemu import build_plugin
from mobilenet_tf.deployment.tflite.compressed.compress import AUTO
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.kernels import INT4
from mobilenet_tf.networks.zoo import make_network

NETWORK = ("v1", 0.25)
CORES = {"cortex-m4": "M4", "cortex-m55": "M55"}
# Title -> (what makes the weights of an int8 file so, form in which they are stored).
KINDS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    **{
        title: (partial(with_shared_weights, clusters=clusters, sparsity=sparsity), AUTO)
        for title, (clusters, sparsity) in WEIGHTS.items()
    },
    "4 bits": (with_narrow_kernels, INT4),
    "64 vectors of 2": (with_vectors, AUTO),
    "hashed, 2 for each value": (with_hashed_weights, AUTO),
}


def measure() -> list[dict[str, Any]]:
    """Return a row per kind of weights, core and kernels.

    Raises:
        UserError: A tool or CMSIS-NN is absent, or a firmware's scores are wrong.
    """
    cmsis_nn = emulator.find_cmsis_nn(ROOT / "build" / "cmsis_nn")
    if cmsis_nn is None:
        raise UserError("build/cmsis_nn has no CMSIS-NN; `make test-firmware` installs it.")
    network, rows = make_network(*NETWORK, SIZE, CLASSES), []
    content = int8_file(network)
    with tempfile.TemporaryDirectory() as name:
        plugin = build_plugin(Path(name))
        for number, (title, (make, form)) in enumerate(KINDS.items()):
            folder = Path(name) / f"weights_{number}"
            facts = export_c(network, make(content), folder, form)
            for core in CORES:
                for kernels in (None, cmsis_nn):
                    found = measured(folder, core, kernels, plugin)
                    rows.append({"weights": title, "stored": facts["kernels"], **found})
                    print(rows[-1], flush=True)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown, with the change of instructions against plain kernels."""
    plain: dict[tuple[str, str], int] = {}
    cells = []
    for row in rows:
        count = row["instructions"]
        # The first weights are stored plain.
        before = plain.setdefault((row["core"], row["kernels"]), count)
        cells.append(
            (
                row["weights"],
                ", ".join(f"{number} {form}" for form, number in row["stored"].items()),
                f"{CORES[row['core']]}, {row['kernels']}",
                f"{count / 1e6:.1f} M",
                f"{count / before - 1:+.0%}",
                *(f"{row[name]:,}" for name in ("constants", "code", "static_ram")),
            )
        )
    names = ("weights", "kernels stored as", "core, kernels", "instructions", "change")
    note = f"""{NETWORK[0]} {NETWORK[1]:g} at {SIZE}x{SIZE}, {CLASSES} classes, exported with
        `--target c --compress auto`, 4 bits with `--compress int4`. The scores of the golden
        pictures are those of plain kernels, bit for bit. Columns are those of
        [firmware.md](firmware.md)."""
    return f"{markdown((*names, 'constants', 'code', 'arena'), cells)}\n\n{paragraph(note)}"


SECTION = Section("compressed_c", table, "docs/compression.md")


if __name__ == "__main__":
    SECTION.save(measure())
