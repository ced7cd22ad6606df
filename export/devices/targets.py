"""`export --target`: what a trained run becomes for a microcontroller or an NPU."""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

from mobilenet_tf import __version__
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically, write_text
from mobilenet_tf.core.system import extra_version
from mobilenet_tf.deployment.devices.cache import Kept, Progress
from mobilenet_tf.deployment.devices.ethos_u import NPUS, compile_npu
from mobilenet_tf.deployment.devices.mcu.interpreter import measure_arena, record_arena
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.run import Job
from mobilenet_tf.selection.candidates import candidates

CPU, MCU = "cpu", "mcu"
TARGETS = (CPU, MCU, *NPUS)
NPU = "npu"  # any: what another maker's compiler takes
EXPORTS = (*TARGETS, NPU)
_VELA_COMPRESSES = 0.8  # at best, where weights are as spread as learned ones


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


def check_target(target: str, accepted: Sequence[str] = TARGETS) -> None:
    """Raises UserError for a name that is no target."""
    if target not in accepted:
        raise UserError(f"target is {target!r}; it must be one of {', '.join(accepted)}.")


def export_for(job: Job, target: str, limits: Limits, out: Path | None = None) -> dict:
    """Write the run's network for a target other than a CPU.

    Args:
        target: `mcu`, one of `NPUS`, or `npu` for one that another compiler serves.
        limits: of the device.
        out: a folder; by default one named after the target in the run folder.

    Returns:
        The figures, with target and folder; also under `devices` in `result.json`.

    Raises:
        UserError: an unknown target; `out` is a file; the model does not fit, and which
            configuration does; the NPU leaves operators to the CPU; or see `micro.write_folder`
            and `vela.compile_npu`.
    """
    check_target(target, EXPORTS)
    started = time.monotonic()
    folder = Path(out) if out else job.run.path / target
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; --out takes a folder.")
    write = {MCU: _export_mcu, NPU: _export_uncompiled}.get(target, _export_npu)
    figures = {"target": target, "folder": str(folder), **write(job, target, folder, limits)}
    seconds = round(time.monotonic() - started, 1)
    devices = job.run.result().get("devices", {}) | {target: figures}
    job.run.update_result(devices=devices, seconds={f"export_{target}": seconds})
    return figures


def _int8_file(job: Job) -> bytes:
    """The run's network with int8 input and output."""
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.runs.quantize_stage import load_qat

    return convert(load_qat(job), io="int8")


def _export_mcu(job: Job, target: str, folder: Path, limits: Limits) -> dict:
    from mobilenet_tf.datasets.dataset import balanced
    from mobilenet_tf.deployment.devices.mcu.folder import PARITY_PICTURES, write_folder

    content = _int8_file(job)
    small = shrink(fuse_hard_swish(content))
    require_fit(job.spec, limits, measure_arena(small).needed, len(small))
    test = job.data.test
    rows = balanced(test.labels, min(PARITY_PICTURES, len(test)), job.seed)
    crop = job.spec.input.crop
    return write_folder(folder, content, list(job.classes), test.images[rows], _title(job), crop)


def _export_npu(job: Job, target: str, folder: Path, limits: Limits) -> dict:
    compiled, figures = compile_npu(fuse_hard_swish(_int8_file(job)), target)
    if figures["ops_on_npu"] < figures["ops"]:
        raise UserError(
            f"Of the model's {figures['ops']} operators {target} takes only "
            f"{figures['ops_on_npu']}; the others would run on the CPU beside it, so nothing is "
            "written."
        )
    require_fit(job.spec, limits, figures["sram_bytes"], len(compiled), target)
    figures = {"bytes": len(compiled), **figures}
    write_atomically(folder / "model.tflite", lambda partial: partial.write_bytes(compiled))
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in job.classes))
    write_text(folder / "npu.json", json.dumps(figures, indent=2) + "\n")
    return figures


def _export_uncompiled(job: Job, target: str, folder: Path, limits: Limits) -> dict:
    """int8 ends, HARD_SWISH as one operator; what it takes there only its compiler can say."""
    if limits != Limits():
        raise UserError(
            f"--target {target} is no certain device, so it has no --max-arena and --max-flash; "
            f"{MCU} and {NPUS[0]} and its like have."
        )
    content = fuse_hard_swish(_int8_file(job))
    write_atomically(folder / "model.tflite", lambda partial: partial.write_bytes(content))
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in job.classes))
    ops = {name: op["count"] for name, op in inspect(content)["ops"].items()}
    return {"bytes": len(content), "operators": ops}


def _title(job: Job) -> str:
    spec = job.spec
    return f"MobileNet {spec.title}, {spec.classes} classes of {Path(job.source).name}"


def measure(spec: Network, target: str = MCU) -> dict:
    """What a network costs on a device before it is trained, see `from_graph`.

    Returns:
        latency in milliseconds, or None for `mcu`, where it cannot be known here; bytes of the
        file; ram, bytes of the arena or the NPU's SRAM; for an NPU also cycles, ops, ops_on_npu.
    """
    if target == MCU:
        small = shrink(int8_file(spec))
        return {"latency": None, "bytes": len(small), "ram": record_arena(small).needed}
    compiled, figures = compile_npu(int8_file(spec), target)
    return {
        "latency": figures["milliseconds"],
        "bytes": len(compiled),
        "ram": figures["sram_bytes"],
        **{name: figures[name] for name in ("cycles", "ops", "ops_on_npu")},
    }


def at_least(spec: Network, target: str) -> dict:
    """Bounds by counting, which is quick: bytes and ram that `measure` will not stay below."""
    counted = count(spec)
    if target in NPUS:  # they compress weights, and cut activations into strips
        return {"bytes": _VELA_COMPRESSES * counted.weight_bytes, "ram": 0}
    return {"bytes": counted.weight_bytes, "ram": counted.peak_activation_bytes}


class DeviceTable:
    """What networks cost on a microcontroller or an NPU, see `measure`.

    Args:
        target: `mcu` or one of `NPUS`.
        path: of the kept values; see `Kept`.
    """

    def __init__(self, target: str, path: Path | None = None):
        tool = "tflite-micro" if target == MCU else "ethos-u-vela"
        self.target = target
        # The files are this package's own, so its version has a say in them.
        names = f"{target}, {tool} {extra_version(tool)}, mobilenet_tf {__version__}"
        self.kept = Kept(names, path)

    def measure(self, specs: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure the networks that are not known yet; returns how many."""
        new = [spec for spec in specs if _key(spec) not in self.kept.values]
        # Vela is a process for each network; TensorFlow Lite Micro is inside this one.
        with ThreadPoolExecutor(1 if self.target == MCU else cpu_count()) as pool:
            found = pool.map(lambda spec: {_key(spec): measure(spec, self.target)}, new)
            told = progress and (lambda *done: progress(f"Measuring for {self.target}", *done))
            self.kept.fill(found, len(new), told)
        return len(new)

    def cost(self, spec: Network) -> dict:
        """latency, bytes and ram of a network that has been measured, see `measure`."""
        return {name: self.kept.values[_key(spec)][name] for name in ("latency", "bytes", "ram")}


def _key(spec: Network) -> str:
    """A network in one line: what it is called, and a digest of all that it is."""
    digest = hashlib.sha256(repr(spec).encode()).hexdigest()[:12]
    return f"{spec.title} {digest}"


def require_fit(spec: Network, limits: Limits, arena: int, flash: int, target: str = MCU) -> None:
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
        f"--size {fitting.size}: arena {found['ram']:,}, flash {found['bytes']:,} bytes."
    )


def largest_that_fits(
    spec: Network, limits: Limits, target: str = MCU
) -> tuple[Network, dict] | None:
    """The configuration with the most work that keeps the limits: of this network, or of any.

    Returns:
        It, and what it costs (see `DeviceTable.cost`); None where nothing fits.
    """
    table = DeviceTable(target)
    grid = sorted(
        candidates(spec.classes, spec.input.channels),
        key=lambda other: (other.name != spec.name, -count(other).macs),
    )
    for candidate in grid:
        least = at_least(candidate, target)
        if limits.broken(least["ram"], least["bytes"]):
            continue
        table.measure([candidate])
        found = table.cost(candidate)
        if not limits.broken(found["ram"], found["bytes"]):
            return candidate, found
    return None
