"""`export --target`: a quantized run in the form of a microcontroller or an NPU."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.commands.common import settled_task, start_tensorflow
from mobilenet_tf.core.ownership import EXPORT, Marker, require_export
from mobilenet_tf.core.terminal import say
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.targets import (
    FIRMWARE,
    Target,
    check_export,
    export_for,
    parity_pictures,
)
from mobilenet_tf.networks.count import count
from mobilenet_tf.runs.provenance import require_current
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Budget

# Instructions for decoding, per multiply-add, that are worth a warning. A multiply-add itself takes
# from one, with vector instructions, to about four.
_MUCH = 0.3


def export_device(
    run: Run,
    target: str | Target,
    budget: Budget | None = None,
    out: Path | None = None,
    *,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the run's network for a target other than a CPU.

    Args:
        run: The run, which has been quantized.
        target: The target, or the name of one other than `cpu`.
        budget: The most that the device has for the model.
        out: The folder; by default one with the target's name in the run folder.
        overwrite: Whether to replace another export in the folder, and files of it that were
            changed.

    Returns:
        What `export_for` returns; `devices` in `result.json` has the same.

    Raises:
        UserError: See `export_for`.
    """
    budget = budget or Budget()
    form = Target.of(target)
    folder = Path(out) if out else run.folder.path / form.name
    check_export(form.name, budget, folder)
    require_current(run.folder, "qat.keras")
    origin = run.folder.identity
    export = Marker(kind=EXPORT, target=form.name, identity=origin)
    require_export(folder, export, overwrite=overwrite)
    started = time.monotonic()
    content = int8_content(run)
    task = settled_task(run, content)
    model = Int8Model(
        content=content,
        network=run.network,
        task=task,
        labels=task.labels(run.classes),
        title=_title(run),
        origin=origin,
        pictures=_pictures(run) if form.name in FIRMWARE else None,
        prefix=form.prefix,
        compress=form.compress,
    )
    facts = export_for(model, form.name, budget, folder, overwrite=overwrite)
    seconds = round(time.monotonic() - started, 1)
    run.folder.update_result(devices={form.name: facts}, seconds={f"export_{form.name}": seconds})
    if slow := slow_decoding(facts.get("decoding", {}), count(run.network).macs):
        say(slow)
    return facts


def slow_decoding(decoding: Mapping[str, Mapping[str, int]], macs: int) -> str:
    """Return a sentence if decoding kernels makes inference much slower; otherwise nothing.

    Args:
        decoding: See `decoding_cost`.
        macs: Multiply-adds of the network.
    """
    total = sum(one["instructions"] for one in decoding.values())
    if total <= _MUCH * macs:
        return ""
    parts = " and ".join(
        f"{one['instructions'] / one['weights']:.0f} for each of {one['weights']:,} weights from "
        f"{name}"
        for name, one in decoding.items()
    )
    return (
        f"Decoding kernels takes about {total:,} instructions of a Cortex-M4 per inference, "
        f"{parts}, beside {macs:,} multiply-adds; docs/compression.md compares the forms."
    )


def _pictures(run: Run) -> np.ndarray:
    return parity_pictures(run.data.test, run.network, run.settings.seed)


def int8_content(run: Run) -> bytes:
    """Return the run's quantized network as a file with int8 input and output."""
    start_tensorflow()
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.runs.models import load_qat

    return convert(load_qat(run.folder), io="int8")


def _title(run: Run) -> str:
    network, data = run.network, Path(run.settings.data).name
    return f"MobileNet {network.title}, {network.classes} classes of {data}"
