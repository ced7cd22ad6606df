"""The command `evaluate`; `cli` registers it."""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import tables
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.runs.folder import RunFolder

# Of damaged copies a run keeps these; --json has all.
_KEPT = ("corruption", "strength", "unit", "images", "accuracy", "top5", "calibration_error")


def evaluate(
    what: Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")],
    data: Annotated[
        str | None, typer.Option(help="Pictures in a folder per class.", show_default="the run's")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split and of damage.", min=0)] = 0,
    robustness: Annotated[
        bool,
        typer.Option("--robustness", help="Also on blurred, noisy, JPEG, dark, bright copies."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Accuracy, calibration and confusion of a .tflite on labelled pictures."""
    from mobilenet_tf.deployment.proof.evaluate import evaluate_file

    if what.is_dir():
        run = RunFolder.open(what, "model_int8.tflite")
        if data is None:
            return tables.show(_own_test(run, seed, robustness), as_json, tables.evaluation_table)
        what = run.tflite
    if data is None:
        raise UserError("evaluate needs --data for a .tflite file: a folder with one per class.")
    result = evaluate_file(what, data, seed, robustness)
    return tables.show(result, as_json, tables.evaluation_table)


def _own_test(run: RunFolder, seed: int, robustness: bool) -> dict:
    """`evaluate_file` on the run's own test pictures; the run keeps what damage does."""
    from mobilenet_tf.deployment.proof.evaluate import evaluate as judge
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.runs.run import Job

    job = Job.open(run.path)
    model = TFLiteModel(run.tflite, threads=2)
    found = judge(model, job.data.test, job.classes, seed, robustness)
    if robustness:
        from mobilenet_tf.deployment.report.page import write_report

        kept = [{key: copy[key] for key in _KEPT} for copy in found["robustness"]]
        run.update_result(robustness=kept)
        write_report(run)
    facts = {"file": str(run.tflite), "source": job.source}
    return facts | found | {"skipped": job.data.skipped}
