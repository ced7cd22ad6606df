"""`export --target`: a quantized run in the form of a microcontroller or an NPU."""

from pathlib import Path
from typing import Any

from mobilenet_tf.deployment.devices.targets import Limits, export_for
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Budget


def export_device(
    run: Run, target: str, budget: Budget | None = None, out: Path | None = None
) -> dict[str, Any]:
    """Write the run's network for a target other than a CPU; see `export_for`."""
    budget = budget or Budget()
    return export_for(run, target, Limits(budget.ram, budget.flash), out)
