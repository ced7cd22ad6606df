"""Write an int8 model in the form that a microcontroller, an NPU or MediaPipe needs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.ownership import EXPORT, Marker, write_export
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.deployment.devices.c.folder import UNPACKING, CForm, c_contents
from mobilenet_tf.deployment.devices.ethos_u import NPUS, compile_npu
from mobilenet_tf.deployment.devices.fitting import require_fit
from mobilenet_tf.deployment.devices.mcu.folder import folder_contents
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mediapipe import TARGET as MEDIAPIPE
from mobilenet_tf.deployment.devices.mediapipe import detector_file
from mobilenet_tf.deployment.devices.model import PREFIX, Int8Model
from mobilenet_tf.deployment.devices.tables import CPU, MCU, PLAIN_C, cost_table
from mobilenet_tf.deployment.devices.templates import check_prefix
from mobilenet_tf.deployment.tflite.compressed.compress import INTERPRETER, NONE
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.kernels import INT4
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Budget, Cost, check_budget

NPU = "npu"  # any NPU with a compiler of its own
TARGETS = (CPU, MCU, PLAIN_C, *NPUS, NPU, MEDIAPIPE)
FIRMWARE = (MCU, PLAIN_C)  # targets that are folders of C, and need pictures
# Runtimes are compared on all test pictures, as far as an interpreter without vector instructions
# does it in seconds, and at least on so many.
PARITY_MACS, PARITY_PICTURES = 10**10, 200
# Target -> how it can store kernels; others have their own ways.
_STORED = {
    CPU: (NONE, INT4),
    MCU: (*INTERPRETER.forms, INT4),
    PLAIN_C: (*UNPACKING.forms, INT4),
}

Exported = tuple[dict[str, Any], dict[str, bytes]]  # facts; file name -> content


@dataclass(frozen=True)
class Target:
    """What a file is exported for.

    Attributes:
        name: One of `TARGETS`.
        prefix: For `FIRMWARE`: what the names of functions, macros and files begin with.
        compress: How kernels are stored: `none`, `int4`, or for `FIRMWARE` one of
            `Decoders.forms`.

    Raises:
        UserError: There is no such target or form of kernels, or the prefix makes no names in C,
            or one of them is of no use.
    """

    name: str = CPU
    prefix: str = PREFIX
    compress: str = NONE

    def __post_init__(self) -> None:
        if self.name not in TARGETS:
            raise UserError(f"target is {self.name!r}; it must be one of {', '.join(TARGETS)}.")
        if self.prefix != PREFIX and self.name not in FIRMWARE:
            raise UserError(f"--prefix applies only to --target {' and '.join(FIRMWARE)}.")
        check_prefix(self.prefix)
        if self.compress != NONE and self.name not in _STORED:
            raise UserError(f"--compress applies only to --target {', '.join(_STORED)}.")
        stored = _STORED.get(self.name, (NONE,))
        if self.compress not in stored:
            raise UserError(
                f"--compress is {self.compress!r}; with --target {self.name} it must be one of "
                f"{', '.join(stored)}."
            )

    @classmethod
    def of(cls, target: "Target | str") -> "Target":
        """Return the target with this name."""
        return cls(target) if isinstance(target, str) else target


def check_export(target: str, budget: Budget, folder: Path) -> None:
    """Reject what `export_for` would reject, before there is a model.

    Raises:
        UserError: An unknown target; a budget that the target has no cost for; or the folder is a
            file.
    """
    Target(target)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; --out takes a folder.")
    if target in (NPU, MEDIAPIPE) and budget.limits:
        raise UserError(
            f"--target {target} is not one particular device, so its costs are unknown and it "
            f"takes no --max-... option; {MCU}, {PLAIN_C} and {', '.join(NPUS)} take them."
        )
    if target in (*FIRMWARE, *NPUS):
        check_budget(budget, cost_table(target))


def parity_pictures(test: Split, network: Network, seed: int) -> np.ndarray:
    """Return the test pictures on which runtimes are compared.

    Those are all for which a network needs `PARITY_MACS`, or `PARITY_PICTURES` if these are more;
    of larger test sets, as evenly from all classes as possible.
    """
    most = max(PARITY_PICTURES, PARITY_MACS // count(network).macs)
    return test.balanced(most, seed).images


def export_for(
    model: Int8Model, target: str, budget: Budget, folder: Path, *, overwrite: bool = False
) -> dict[str, Any]:
    """Write a model for a target other than a CPU.

    Args:
        model: The model; `FIRMWARE` needs its pictures.
        target: One of `FIRMWARE`, one of `NPUS`, `npu` for an NPU with a compiler of its own, or
            `mediapipe`.
        budget: The most that the device has for the model.
        folder: Where to write; created if absent.
        overwrite: Whether to replace another export in the folder, and files of it that were
            changed.

    Returns:
        target, folder, bytes, and for `mcu` what `write_folder` returns, for `c` what `c_contents`
        returns, for `NPUS` Vela's estimate (see `compile_npu`), for `npu` and `mediapipe`
        operators (operator -> count).

    Raises:
        UserError: See `check_export`; the model does not fit, and which configuration does; the
            NPU leaves operators to the CPU; a file would be lost (see `require_export`); or see
            `write_folder`, `c_contents`, `compile_npu` and `detector_file`.
    """
    check_export(target, budget, folder)
    facts, contents = _MAKERS.get(target, _export_npu)(model, target, budget)
    export = Marker(kind=EXPORT, target=target, identity=model.origin)
    write_export(folder, export, contents, overwrite=overwrite)
    return {"target": target, "folder": str(folder), **facts}


def _export_mcu(model: Int8Model, target: str, budget: Budget) -> Exported:
    form = McuForm(model.content, model.compress, max_bytes=budget.flash)
    cost = Cost(None, len(form.small), form.arena.needed, count(model.network).macs)
    require_fit(model.network, budget, cost, target, model.task)
    return folder_contents(model, form)


def _export_c(model: Int8Model, target: str, budget: Budget) -> Exported:
    form = CForm(model.content, model.compress, budget.flash)
    cost = Cost(None, form.flash, form.ram, count(model.network).macs)
    require_fit(model.network, budget, cost, target, model.task)
    return c_contents(model, form)


def _export_npu(model: Int8Model, target: str, budget: Budget) -> Exported:
    compiled, estimate = compile_npu(fuse_hard_swish(model.content), target)
    if estimate["ops_on_npu"] < estimate["ops"]:
        raise UserError(
            f"Of the model's {estimate['ops']} operators {target} takes only "
            f"{estimate['ops_on_npu']}; the others would run on the CPU beside it, so nothing is "
            "written."
        )
    macs = count(model.network).macs
    cost = Cost(estimate["milliseconds"], len(compiled), estimate["sram_bytes"], macs)
    require_fit(model.network, budget, cost, target, model.task)
    facts = {"bytes": len(compiled), **estimate}
    text = json_text(facts, indent=2) + "\n"
    return facts, {**_files(model, compiled), "npu.json": text.encode()}


def _export_uncompiled(model: Int8Model, target: str, budget: Budget) -> Exported:
    """Return int8 input and output and HARD_SWISH as one operator, for another compiler."""
    return _with_operators(model, fuse_hard_swish(model.content))


def _export_mediapipe(model: Int8Model, target: str, budget: Budget) -> Exported:
    """Return a detector that decodes its boxes itself."""
    return _with_operators(model, detector_file(model))


_MAKERS = {
    MCU: _export_mcu,
    PLAIN_C: _export_c,
    NPU: _export_uncompiled,
    MEDIAPIPE: _export_mediapipe,
}


def _with_operators(model: Int8Model, content: bytes) -> Exported:
    ops = {name: op["count"] for name, op in inspect(content)["ops"].items()}
    return {"bytes": len(content), "operators": ops}, _files(model, content)


def _files(model: Int8Model, content: bytes) -> dict[str, bytes]:
    labels = "".join(f"{label}\n" for label in model.labels)
    return {"model.tflite": content, "labels.txt": labels.encode()}
