"""`export --target`: what a trained run becomes for a microcontroller or an NPU."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from export.fuse import fuse_hard_swish
from export.slim import slim
from export.synthetic import synthetic
from export.tflm import measure_arena, record_arena
from export.vela import NPUS, compile_npu
from mobilenet_tf.errors import UserError
from mobilenet_tf.job import Job
from mobilenet_tf.models.cost import cost
from mobilenet_tf.models.grid import candidates
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.run_folder import write_atomically, write_text

CPU, MCU = "cpu", "mcu"
TARGETS = (CPU, MCU, *NPUS)


@dataclass(frozen=True)
class Limits:
    """Bytes that a device has for the model; None for as many as it takes.

    Attributes:
        arena: working memory.
        flash: for the file.
    """

    arena: int | None = None
    flash: int | None = None

    def broken(self, arena: int, flash: int) -> list[str]:
        """What does not fit, with the figures; empty where all does."""
        pairs = (("arena", arena, self.arena), ("flash", flash, self.flash))
        return [
            f"{name} {needed:,} of {limit:,} bytes"
            for name, needed, limit in pairs
            if limit is not None and needed > limit
        ]


def check_target(target: str) -> None:
    """Raises UserError for a name that is no target."""
    if target not in TARGETS:
        raise UserError(f"target is {target!r}; it must be one of {', '.join(TARGETS)}.")


def export_for(job: Job, target: str, limits: Limits, out: Path | None = None) -> dict:
    """Write the run's network for a target other than a CPU.

    Args:
        target: `mcu` or one of `NPUS`.
        limits: of the device.
        out: a folder; by default one named after the target in the run folder.

    Returns:
        The figures, with target and folder; also under `devices` in `result.json`.

    Raises:
        UserError: an unknown target; the model does not fit, and which configuration does; or
            see `micro.write_folder` and `vela.compile_npu`.
    """
    check_target(target)
    started = time.monotonic()
    folder = Path(out) if out else job.run.path / target
    write = _export_mcu if target == MCU else _export_npu
    figures = {"target": target, "folder": str(folder), **write(job, target, folder, limits)}
    seconds = round(time.monotonic() - started, 1)
    devices = job.run.result().get("devices", {}) | {target: figures}
    job.run.update_result(devices=devices, seconds={f"export_{target}": seconds})
    return figures


def _int8_file(job: Job) -> bytes:
    """The run's network with int8 input and output."""
    from export.tflite import convert
    from mobilenet_tf.quantization.quantize import load_qat

    return convert(load_qat(job), io="int8")


def _export_mcu(job: Job, target: str, folder: Path, limits: Limits) -> dict:
    from export.micro import PARITY_PICTURES, write_folder
    from mobilenet_tf.data.dataset import balanced

    content = _int8_file(job)
    small = slim(fuse_hard_swish(content))
    require_fit(job.spec, limits, measure_arena(small).needed, len(small))
    test = job.data.test
    rows = balanced(test.labels, min(PARITY_PICTURES, len(test)), job.seed)
    crop = job.spec.preprocessing.crop
    return write_folder(folder, content, list(job.classes), test.pictures[rows], _title(job), crop)


def _export_npu(job: Job, target: str, folder: Path, limits: Limits) -> dict:
    compiled, figures = compile_npu(fuse_hard_swish(_int8_file(job)), target)
    require_fit(job.spec, limits, figures["sram_bytes"], len(compiled), target)
    figures = {"bytes": len(compiled), **figures}
    write_atomically(folder / "model.tflite", lambda partial: partial.write_bytes(compiled))
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in job.classes))
    write_text(folder / "npu.json", json.dumps(figures, indent=2) + "\n")
    return figures


def _title(job: Job) -> str:
    spec = job.spec
    return (
        f"MobileNet {spec.name} {spec.alpha:g}, {spec.size}x{spec.size}x{spec.channels}, "
        f"{spec.classes} classes of {Path(job.source).name}"
    )


def measure(spec: ModelSpec, target: str = MCU) -> dict:
    """What a network costs on a device before it is trained, see `export.synthetic`.

    Returns:
        arena and flash in bytes; for an NPU also cycles and milliseconds.
    """
    if target == MCU:
        small = slim(synthetic(spec))
        return {"arena": record_arena(small).needed, "flash": len(small)}
    compiled, figures = compile_npu(synthetic(spec), target)
    keep = ("cycles", "milliseconds", "ops", "ops_on_npu")
    return {
        "arena": figures["sram_bytes"],
        "flash": len(compiled),
        **{name: figures[name] for name in keep},
    }


def require_fit(spec: ModelSpec, limits: Limits, arena: int, flash: int, target: str = MCU) -> None:
    """Raises UserError where the limits are broken: the figures, and what would fit."""
    broken = limits.broken(arena, flash)
    if not broken:
        return
    message = f"The model does not fit: {' and '.join(broken)}."
    best = largest_that_fits(spec, limits, target)
    if best is None:
        raise UserError(f"{message} No network at any alpha and size does.")
    fitting, found = best
    raise UserError(
        f"{message} The largest that does is --model {fitting.name} --alpha {fitting.alpha:g} "
        f"--size {fitting.size}: arena {found['arena']:,}, flash {found['flash']:,} bytes."
    )


def largest_that_fits(
    spec: ModelSpec, limits: Limits, target: str = MCU
) -> tuple[ModelSpec, dict] | None:
    """The configuration with the most work that keeps the limits: of this network, or of any."""
    grid = sorted(
        candidates(spec.classes, spec.channels),
        key=lambda other: (other.name != spec.name, -cost(other).macs),
    )
    for candidate in grid:
        counted = cost(candidate)
        # Counting is quick: what cannot fit is not measured. NPUs compress and cut in strips.
        if target == MCU and limits.broken(counted.peak_activation_bytes, counted.weight_bytes):
            continue
        found = measure(candidate, target)
        if not limits.broken(found["arena"], found["flash"]):
            return candidate, found
    return None
