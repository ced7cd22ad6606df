"""Instructions of this project's files on emulated cores of phones: docs/arm.md.

    make test-arm                       # installs compiler and emulator
    python -m benchmarks.arm [NETWORK...]

The files are those of `benchmarks.latency`: ours, (a) Keras after full-int8 quantization, (b) Keras
in float; and (d), ours with hard-swish as one operator, the form for microcontrollers. Counts
repeat within 20 instructions, whatever else the machine does.
"""

import sys
from typing import Any

from benchmarks.arm_page import SECTION, write_page
from benchmarks.latency import SIZES, keras_files, our_file
from mobilenet_tf.core.terminal import console
from mobilenet_tf.deployment.devices.arm.benchmark import operator_instructions
from mobilenet_tf.deployment.devices.arm.cores import CORES
from mobilenet_tf.deployment.devices.arm.emulator import Emulator
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.zoo import make_network

NETWORKS = ("v1", "v2", "v3_large", "v3_small")


def measure(name: str, size: int, emulators: list[Emulator]) -> dict[str, Any]:
    """Count the instructions of all files of one network on every core."""
    network = make_network(name, 1.0, size)
    ours = our_file(network)
    files = {"ours": ours, **keras_files(network)}
    fused = fuse_hard_swish(ours)
    if "HARD_SWISH" in inspect(fused)["ops"]:
        files["d"] = fused
    return {
        "network": name,
        "size": size,
        "partitions": {
            kind: inspect(content)["delegate"]["partitions"] for kind, content in files.items()
        },
        "instructions": {one.core.name: one.measure(files) for one in emulators},
        "operators": {
            one.core.name: {
                kind: operator_instructions(one, files[kind], kind)
                for kind in ("ours", "d")
                if kind in files
            }
            for one in emulators
        },
    }


def known_rows(measured_on: list[str]) -> dict[tuple[str, int], dict[str, Any]]:
    """Return (network, size) -> row of docs/arm.json, as far as it was measured in the same way."""
    if not SECTION.file.is_file():
        return {}
    known = SECTION.content()
    if known["measured_on"] != measured_on:
        return {}
    return {(row["network"], row["size"]): row for row in known["rows"]}


def main(names: list[str]) -> None:
    """Measure what docs/arm.json does not have yet, and write it and docs/arm.md after each row."""
    emulators = [Emulator(core) for core in CORES.values()]
    measured_on = [one.name for one in emulators]
    for name in names or NETWORKS:
        for size in SIZES:
            if (name, size) in known_rows(measured_on):
                continue
            row = measure(name, size, emulators)
            console.print(row["instructions"])
            rows = known_rows(measured_on) | {(name, size): row}
            ordered = sorted(rows, key=lambda key: (NETWORKS.index(key[0]), key[1]))
            SECTION.save({"measured_on": measured_on, "rows": [rows[key] for key in ordered]})
            write_page()


if __name__ == "__main__":
    main(sys.argv[1:])
