"""`train`: images -> float.keras."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import default_folder, require_loadable, start_tensorflow
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.cluster import check_strategy, is_chief


@applicable
def train(
    settings: RunSettings,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    strategy: str = "none",
) -> Run:
    """Start a run, or continue one, and train its float network.

    Args:
        settings: The settings of the run.
        out: The run folder; by default `runs/DATA_MODEL_ALPHA_SIZE`.
        overwrite: Whether to delete an earlier run in the folder.
        resume: Whether to continue the run in the folder, if there is one.
        strategy: Where to train: none (one device), mirrored, multiworker or tpu.

    Returns:
        The run, with `float.keras` in its folder.

    Raises:
        UserError: A setting is not accepted, the folder is in use, or training diverged.
    """
    with new_run(settings, out=out, overwrite=overwrite, resume=resume, strategy=strategy) as run:
        return run


@contextmanager
def new_run(
    settings: RunSettings,
    *,
    out: str | Path | None,
    overwrite: bool,
    resume: bool,
    strategy: str,
    rehearse: bool = False,
) -> Iterator[Run]:
    """Train as `train` does, and keep other processes out of the folder until the block ends.

    With `rehearse`, training is limited and timed by the run's `Rehearsal`.
    """
    out = Path(out or default_folder(settings))
    check_strategy(strategy)
    with at_work(out) if is_chief(strategy) else nullcontext():
        run = begin(
            settings,
            out=out,
            overwrite=overwrite,
            resume=resume,
            strategy=strategy,
            check=require_loadable,
        )
        start_tensorflow()
        from mobilenet_tf.runs.train import train as train_stage
        from mobilenet_tf.training.rehearsal import Rehearsal

        run.rehearsal = Rehearsal() if rehearse else None
        train_stage(run)
        yield run
