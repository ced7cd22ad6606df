"""What networks cost on microcontrollers and NPUs: docs/micro.md with plot, a table in the README.

    python -m benchmarks.micro [--npu ethos-u55-128] [--only PART...]

TensorFlow Lite Micro measures file and arena, Vela estimates time, accuracy is from the published
ImageNet table. The check of the latency table is a ratio of times that are measured side by side.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import micro_file
from benchmarks.micro_page import CLASSES, SECTION, write_page
from benchmarks.sections import write_measurements
from mobilenet_tf.core.system import processor
from mobilenet_tf.deployment.devices.cpu import Cpu, runner
from mobilenet_tf.deployment.devices.ethos_u import compile_npu
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.interpreter import record_arena
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.devices.tables import MCU, cost_table
from mobilenet_tf.deployment.devices.timing import interleaved
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.published.accuracy import common_recipe, expected_top1
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.choose import choose
from mobilenet_tf.selection.cost import Budget

NETWORKS = {"v1": (0.25, 0.35, 0.5, 0.75), "v2": (0.25, 0.35, 0.5), "v3_small": (0.25, 0.5, 0.75)}
SIZES = (64, 96, 128, 160)
# (flash, RAM) that a device has left for the model, KiB.
BUDGETS = ((256, 64), (256, 96), (512, 128), (768, 192), (1024, 256), (2048, 512))
TIMED = (
    ("v1", 0.25, 96),
    ("v1", 1.0, 160),
    ("v2", 0.35, 96),
    ("v2", 1.0, 224),
    ("v3_small", 0.5, 96),
    ("v3_small", 1.0, 224),
    ("v3_large", 0.75, 160),
)
_ROUNDS = 40
Rows = list[dict[str, Any]]


def budgets() -> Rows:
    """Return the most accurate network for each of `BUDGETS`."""
    rows, table = [], cost_table(MCU)
    for flash, ram in BUDGETS:
        budget = Budget(flash=flash * 1024, ram=ram * 1024)
        best = choose(budget, table, classes=CLASSES).best
        rows.append({"flash_kib": flash, "ram_kib": ram, "best": best.to_dict() if best else {}})
    return rows


def grid(npu: str) -> Rows:
    """Return the cost of every network at every alpha and size."""
    networks = [
        make_network(name, alpha, size, CLASSES)
        for name, alphas in NETWORKS.items()
        for alpha in alphas
        for size in SIZES
    ]
    recipe = common_recipe(networks)
    return [grid_row(network, npu, recipe) for network in networks]


def grid_row(network: Network, npu: str, recipe: str) -> dict[str, Any]:
    """Return the cost of one network."""
    content = int8_file(network)
    small, (_, estimate) = shrink(content), compile_npu(content, npu)
    expected = expected_top1(network.name, network.alpha, network.input.side, recipe)
    return {
        "model": network.name,
        "alpha": network.alpha,
        "size": network.input.side,
        "bytes": len(small),
        "arena": record_arena(small).needed,
        **{core: scratch_beyond(small, core) for core in CORES},
        "npu_ms": estimate["milliseconds"],
        "npu_cycles": estimate["cycles"],
        "npu_sram": estimate["sram_bytes"],
        "ops": estimate["ops"],
        "ops_on_npu": estimate["ops_on_npu"],
        "top1": round(expected.top1, 1),
        "basis": expected.basis,
    }


def hard_swish(npu: str) -> Rows:
    """Compare both forms of hard-swish in V3-Small: as phones run it, and as one operator."""
    plain = int8_file(make_network("v3_small", 0.75, 96, CLASSES), fuse_hard_swish=False)
    rows = []
    for name, content in (("x * relu6(x + 3)", plain), ("HARD_SWISH", fuse_hard_swish(plain))):
        small, estimate = shrink(content), compile_npu(content, npu)[1]
        rows.append(
            {
                "form": name,
                "bytes": len(small),
                "arena": record_arena(small).needed,
                "npu_cycles": estimate["cycles"],
                "npu_sram": estimate["sram_bytes"],
            }
        )
    return rows


def honesty(configurations: tuple[tuple[str, float, int], ...] = TIMED) -> Rows:
    """Compare the sum of a network's measured parts with the time of its whole file.

    Both are CPU time on one thread.

    Args:
        configurations: (name, alpha, size) of the networks.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        table = PartsTable(Cpu(threads=1), path=Path(folder) / "latency.json")
        for configuration in configurations:
            network = make_network(*configuration, 10)
            # Measure whole and parts in succession: the machine's load changes within minutes.
            table.measure([network])
            whole = {"whole": runner(int8_file(network, fuse_hard_swish=False), trusted=True)}
            times = interleaved(whole, _ROUNDS, clock=time.thread_time)["whole"]
            ratio = table.total(network) / float(np.median(times))
            row = {"model": network.name, "alpha": network.alpha, "size": network.input.side}
            rows.append(row | {"sum_over_whole": ratio})
    return rows


# Part of docs/micro.json -> function of the NPU that measures it.
PARTS: dict[str, Callable[[str], Any]] = {
    "budgets": lambda npu: budgets(),
    "grid": grid,
    "steps": lambda npu: micro_file.steps(micro_file.wake_words()),
    "anatomy": lambda npu: micro_file.anatomy(micro_file.wake_words()),
    "tried": lambda npu: micro_file.tried(micro_file.wake_words()),
    "hard_swish": hard_swish,
    "honesty": lambda npu: honesty(),
}


def main() -> None:
    """Measure, and write docs/micro.json and what is rendered from it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--npu", default="ethos-u55-128")
    parser.add_argument("--only", choices=PARTS, nargs="+", help="measure only these again")
    options = parser.parse_args()
    result = SECTION.content() if options.only else {}
    npu = result.setdefault("npu", options.npu)
    for name in options.only or PARTS:
        result[name] = PARTS[name](npu)
    if "honesty" in (options.only or PARTS):
        result["processor"] = processor()
    write_measurements(SECTION.file, result)
    SECTION.write()
    write_page()


if __name__ == "__main__":
    main()
