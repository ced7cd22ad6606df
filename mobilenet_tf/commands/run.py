"""`run`: all stages, from images to the report."""

from pathlib import Path

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.export import convert_run
from mobilenet_tf.commands.quantize import quantize_run
from mobilenet_tf.commands.train import new_run
from mobilenet_tf.commands.verify import verify_run
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings


@applicable
def run(
    settings: RunSettings,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    strategy: str = "none",
) -> Run:
    """Train, quantize, export and verify a network, and write the report.

    The arguments are those of `train`. With several workers only the chief exports and verifies.

    Returns:
        The finished run.

    Raises:
        UserError: See `train`; or the finished network does not fit into `Recipe.max_flash`.
    """
    with new_run(
        settings, out=out, overwrite=overwrite, resume=resume, strategy=strategy
    ) as started:
        finish(started)
        started.folder.result().compression.require_within_limit()
    return started


def finish(run: Run) -> None:
    """Quantize a run that is trained; the chief also exports and verifies it."""
    quantize_run(run)
    if run.is_chief:
        from mobilenet_tf.runs.models import load_models

        models = load_models(run.folder)
        convert_run(run, models)
        verify_run(run, models)
