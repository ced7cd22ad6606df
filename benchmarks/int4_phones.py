"""What kernels of 4 bits save and cost on phones: a table in docs/compression.md.

python -m benchmarks.int4_phones

Instructions are counted on emulated cores. Networks have random weights, which play no part in
them; the deflated sizes are therefore the largest that there can be.
"""

import tempfile
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.compressed import NETWORKS, SIZE, with_narrow_kernels
from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.deployment.devices.arm.cores import CORES
from mobilenet_tf.deployment.tflite.compressed.int4 import int4_weights
from mobilenet_tf.deployment.tflite.from_graph import int8_file

CLASSES = 10
Rows = list[dict[str, Any]]


def measure() -> Rows:
    """Return size and instructions of each network with kernels of 8 and of 4 bits."""
    rows = []
    for name, alpha in NETWORKS:
        network = mn.make_network(name, alpha, SIZE, CLASSES)
        wide = with_narrow_kernels(int8_file(network, fuse_hard_swish=False))
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{bits}.tflite" for bits in (8, 4)]
            for file, content in zip(files, (wide, int4_weights(wide, dense=True)), strict=True):
                file.write_bytes(content)
            counted = {core: mn.benchmark(files, device=core) for core in CORES}
            facts = [mn.inspect(file) for file in files]
        rows.append(
            {
                "network": f"{name} {alpha:g}",
                **{field: [one[field] for one in facts] for field in ("bytes", "download_bytes")},
                "instructions": {
                    core: [one["instructions"] for one in found["files"]]
                    for core, found in counted.items()
                },
                "processors": [found["processor"] for found in counted.values()],
            }
        )
    return rows


def render(rows: Rows) -> str:
    """Return the content of docs/int4_phones.json as Markdown."""
    columns = ("network", "file, 8 bits", "4 bits", "deflated, 8 bits", "4 bits", *CORES)
    cells = [
        (
            row["network"],
            *(f"{size:,}" for field in ("bytes", "download_bytes") for size in row[field]),
            *(f"{narrow / wide:.2f}" for wide, narrow in row["instructions"].values()),
        )
        for row in rows
    ]
    note = f"""At {SIZE}x{SIZE}, with random weights of 4 bits stored both ways. The last columns
        are the instructions with 4 bits as multiples of those with 8, on emulated cores:
        {"; ".join(rows[0]["processors"])}."""
    return f"{markdown(columns, cells)}\n\n{paragraph(note)}"


SECTION = Section("int4_phones", render, "docs/compression.md")


if __name__ == "__main__":
    SECTION.save(measure())
