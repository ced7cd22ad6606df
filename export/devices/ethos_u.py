"""Arm Ethos-U NPUs: compile an int8 `.tflite` with Arm's compiler, Vela, and read its estimate.

Vela runs in a process of its own, because it keeps global state and prints.
"""

import csv
import tempfile
from dataclasses import replace
from os import cpu_count
from pathlib import Path
from typing import Any

from mobilenet_tf.core.child import run_python
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.packages import require
from mobilenet_tf.deployment.devices.network_table import NetworkTable
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import COUNTED, Cost

NPUS = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)
_KIB = 1024
_NPU_OPERATOR = b"ethos-u"
_BEST_COMPRESSION = 0.8  # of weights with the spread of trained ones


def compile_npu(content: bytes, npu: str) -> tuple[bytes, dict[str, Any]]:
    """Return a file compiled for one NPU configuration, and Vela's estimate of its cost.

    Vela's default system for the NPU is assumed; the estimate names it.

    Args:
        content: int8 `.tflite`.
        npu: One of `NPUS`; the last number is multiply-adds per cycle.

    Returns:
        The compiled `.tflite`, and: npu, system, memory_mode, clock_hz, cycles, milliseconds,
        sram_bytes, flash_bytes (weights and commands), macs, ops, ops_on_npu (of `ops`).

    Raises:
        UserError: There is no such configuration, Vela is not installed, or it refuses the file.
    """
    if npu not in NPUS:
        raise UserError(f"The NPU is {npu!r}; it must be one of {', '.join(NPUS)}.")
    require(f"Compiling for {npu}", "ethos-u-vela")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(content)
        options = ["--accelerator-config", npu, "--output-dir", folder]
        done = run_python("-m", "ethosu.vela", str(source), *options, text=True)
        summaries = sorted(Path(folder).glob("*_summary_*.csv"))
        if done.returncode or not summaries:
            output = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise UserError(f"Vela refuses the model for {npu}: {output[-1].rstrip('.')}.")
        with summaries[0].open(newline="") as file:
            row = next(csv.DictReader(file))
        compiled = (Path(folder) / "model_vela.tflite").read_bytes()
    return compiled, {"npu": npu, **_estimate(row), **_coverage(content, compiled)}


def _estimate(row: dict[str, str]) -> dict[str, Any]:
    """Return what is used of Vela's summary, which counts memory in KiB and time in seconds."""

    def kib(*names: str) -> int:
        return round(sum(float(row[f"{name}_memory_used"]) for name in names) * _KIB)

    return {
        "system": row["system_config"],
        "memory_mode": row["memory_mode"],
        "clock_hz": int(float(row["core_clock"])),
        "cycles": int(row["cycles_total"]),
        "milliseconds": float(row["inference_time"]) * 1e3,
        "sram_bytes": kib("sram"),
        "flash_bytes": kib("on_chip_flash", "off_chip_flash", "dram"),
        "macs": int(row["nn_macs"]),
    }


def _coverage(content: bytes, compiled: bytes) -> dict[str, int]:
    """Return the number of the file's operators, and of those that run on the NPU."""
    ops = len(parse_model(content).subgraphs[0].operators)
    model = parse_model(compiled)
    left = sum(
        model.operatorCodes[op.opcodeIndex].customCode != _NPU_OPERATOR
        for op in model.subgraphs[0].operators
    )
    return {"ops": ops, "ops_on_npu": ops - left}


class EthosUTable(NetworkTable):
    """Costs by Vela's estimate for one of `NPUS`."""

    tool = "ethos-u-vela"
    workers = cpu_count()  # each network is a process of its own
    known = COUNTED | {"latency"}

    def measure_network(self, network: Network) -> Cost:
        """Compile a network; flash is the size of the compiled file, RAM is SRAM."""
        compiled, estimate = compile_npu(int8_file(network), self.device)
        macs = count(network).macs
        return Cost(estimate["milliseconds"], len(compiled), estimate["sram_bytes"], macs)

    def lower_bound(self, network: Network) -> Cost:
        """Return bounds by counting: Vela compresses weights and runs activations in strips."""
        counted = super().lower_bound(network)
        return replace(counted, flash=int(_BEST_COMPRESSION * counted.flash), ram=0)
