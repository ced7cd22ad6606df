"""`train`: images -> float.keras."""

from pathlib import Path

from mobilenet_tf.commands.common import default_folder, start_tensorflow
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings


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
    run = begin(
        settings,
        out=out or default_folder(settings),
        overwrite=overwrite,
        resume=resume,
        strategy=strategy,
    )
    start_tensorflow()
    from mobilenet_tf.runs.train import train as train_stage

    train_stage(run)
    return run
