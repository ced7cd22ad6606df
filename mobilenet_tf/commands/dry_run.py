"""`run --dry-run` and `train --dry-run`: what a run takes, from a few of its steps."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from mobilenet_tf.commands.outcomes.machine import RunEstimate
from mobilenet_tf.commands.run import finish
from mobilenet_tf.commands.train import new_run
from mobilenet_tf.core.files import folder_bytes
from mobilenet_tf.core.memory import MemoryWatch
from mobilenet_tf.runs.settings import RunSettings


def dry_run(settings: RunSettings, command: str = "run") -> RunEstimate:
    """Go through a run with 2 epochs of at most 20 steps per phase, in a folder that is removed.

    Everything else is done in full: reading, validation, conversion, verification.

    Args:
        settings: The settings of the run.
        command: `run`, or `train` for the float network alone.

    Raises:
        UserError: See `train`.
    """
    started = time.monotonic()
    with TemporaryDirectory(prefix="mobilenet_tf_dry_") as temporary, MemoryWatch() as watch:
        folder = Path(temporary) / "run"
        with new_run(
            settings, out=folder, overwrite=False, resume=False, strategy="none", rehearse=True
        ) as run:
            rehearsal = run.rehearsal
            assert rehearsal is not None  # it was asked for
            left = {"train": sum(rehearsal.remaining)}
            phases = len(rehearsal.remaining)
            if command == "run":
                finish(run)
            left["quantize"] = sum(rehearsal.remaining[phases:])
        took = time.monotonic() - started
        measured = {name: one for name, one in run.result().seconds.items() if one is not None}
        disk = folder_bytes(folder)
    stages = {"start": took - sum(measured.values())}
    stages |= {name: seconds + left.get(name, 0) for name, seconds in measured.items()}
    return RunEstimate(
        seconds=sum(stages.values()),
        stages=stages,
        memory_bytes=watch.peak,
        disk_bytes=disk,
        dry_seconds=took,
    )
