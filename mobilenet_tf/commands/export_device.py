"""`export --target`: a quantized run in the form of a microcontroller or an NPU."""

import time
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.common import start_tensorflow
from mobilenet_tf.core.ownership import EXPORT, Marker, require_export
from mobilenet_tf.deployment.devices.model import PREFIX, Int8Model
from mobilenet_tf.deployment.devices.targets import (
    FIRMWARE,
    check_export,
    export_for,
    parity_pictures,
)
from mobilenet_tf.deployment.devices.templates import check_prefix
from mobilenet_tf.runs.provenance import require_current
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Budget


def export_device(
    run: Run,
    target: str,
    budget: Budget | None = None,
    out: Path | None = None,
    *,
    prefix: str = PREFIX,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the run's network for a target other than a CPU.

    Args:
        run: The run, which has been quantized.
        target: See `export_for`.
        budget: The most that the device has for the model.
        out: The folder; by default one with the target's name in the run folder.
        prefix: What names begin with in a folder of C.
        overwrite: Whether to replace another export in the folder, and files of it that were
            changed.

    Returns:
        What `export_for` returns; `devices` in `result.json` has the same.

    Raises:
        UserError: See `export_for`.
    """
    budget = budget or Budget()
    folder = Path(out) if out else run.folder.path / target
    check_export(target, budget, folder)
    check_prefix(prefix)
    require_current(run.folder, "qat.keras")
    origin = run.folder.identity
    export = Marker(kind=EXPORT, target=target, identity=origin)
    require_export(folder, export, overwrite=overwrite)
    started = time.monotonic()
    model = Int8Model(
        content=int8_content(run),
        network=run.network,
        labels=run.classes,
        title=_title(run),
        origin=origin,
        pictures=parity_pictures(run.data.test, run.settings.seed) if target in FIRMWARE else None,
        prefix=prefix,
    )
    facts = export_for(model, target, budget, folder, overwrite=overwrite)
    seconds = round(time.monotonic() - started, 1)
    run.folder.update_result(devices={target: facts}, seconds={f"export_{target}": seconds})
    return facts


def int8_content(run: Run) -> bytes:
    """Return the run's quantized network as a file with int8 input and output."""
    start_tensorflow()
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.runs.models import load_qat

    return convert(load_qat(run.folder), io="int8")


def _title(run: Run) -> str:
    network, data = run.network, Path(run.settings.data).name
    return f"MobileNet {network.title}, {network.classes} classes of {data}"
