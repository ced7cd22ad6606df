"""Compile an int8 `.tflite` for an Arm Ethos-U with Arm's own compiler, Vela, and read its report.

Vela runs in a process of its own: it keeps global state, and prints.
"""

import csv
import tempfile
from pathlib import Path

from mobilenet_tf.core.child import run_python
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import extra_version
from mobilenet_tf.deployment.tflite.parse import parse_model

NPUS = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)
_KIB = 1024
_NPU_OPERATOR = b"ethos-u"


def compile_npu(content: bytes, npu: str) -> tuple[bytes, dict]:
    """The file for one accelerator configuration, and Vela's estimate of what it costs.

    Vela's default system for the accelerator is assumed, which the figures name.

    Args:
        content: int8 `.tflite`.
        npu: one of `NPUS`; the last number is multiply-adds per cycle.

    Returns:
        The compiled `.tflite`, and: npu, system, memory_mode, clock_hz, cycles, milliseconds,
        sram_bytes, flash_bytes (weights and commands), macs, ops, ops_on_npu (of `ops`).

    Raises:
        UserError: no such configuration, Vela is not installed, or it refuses the file.
    """
    if npu not in NPUS:
        raise UserError(f"The NPU is {npu!r}; it must be one of {', '.join(NPUS)}.")
    extra_version("ethos-u-vela")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(content)
        options = ["--accelerator-config", npu, "--output-dir", folder]
        done = run_python("-m", "ethosu.vela", str(source), *options, text=True)
        summaries = sorted(Path(folder).glob("*_summary_*.csv"))
        if done.returncode or not summaries:
            said = (done.stderr or done.stdout).strip().splitlines() or ["it gives no reason"]
            raise UserError(f"Vela refuses the model for {npu}: {said[-1].rstrip('.')}.")
        with summaries[0].open(newline="") as file:
            row = next(csv.DictReader(file))
        compiled = (Path(folder) / "model_vela.tflite").read_bytes()
    return compiled, {"npu": npu, **_figures(row), **_coverage(content, compiled)}


def _figures(row: dict[str, str]) -> dict:
    """What is kept of Vela's summary; it counts memory in KiB and time in seconds."""

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


def _coverage(content: bytes, compiled: bytes) -> dict:
    """How many of the file's operators the NPU took: those that are not left beside its own."""
    ops = len(parse_model(content).subgraphs[0].operators)
    model = parse_model(compiled)
    left = sum(
        model.operatorCodes[op.opcodeIndex].customCode != _NPU_OPERATOR
        for op in model.subgraphs[0].operators
    )
    return {"ops": ops, "ops_on_npu": ops - left}
