"""`evaluate`: the metrics of a `.tflite` on labelled images. Needs no TensorFlow."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import require_own_file
from mobilenet_tf.commands.predict import stated
from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.runs.provenance import require_current
from mobilenet_tf.runs.run import Run
from mobilenet_tf.tasks.registry import metadata_of

# The fields of a damaged copy that `result.json` stores, beside `Task.shares_of`.
_STORED = ("corruption", "strength", "unit", "images")


@applicable
def evaluate(
    what: Run | str | Path,
    *,
    data: str | Path | None = None,
    seed: int = 0,
    robustness: bool = False,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    labels: str | Path | None = None,
) -> dict[str, Any]:
    """Measure accuracy, calibration and confusion of a `.tflite`.

    Args:
        what: A run, its folder, or a `.tflite` file.
        data: Labelled images, as for `load_test`; by default the test images of the run.
        seed: Seed of the split and of the damage.
        robustness: Whether to evaluate blurred, noisy, compressed, dark and bright copies too. On
            the test images of a run, the result and the report of the run receive these metrics.
        mean: See `predict`; a run has its own, as well as the two below.
        std: See `predict`.
        labels: See `predict`.

    Returns:
        The metrics of `deployment.proof.evaluate`, with `file`, `source` and `skipped`; ready for
        JSON.

    Raises:
        UserError: There is no such run or file, no data is given for a file, its classes are not
            those of the model, or an argument does not apply.
    """
    check_seed(seed)
    from mobilenet_tf.deployment.proof.evaluate import evaluate_file
    from mobilenet_tf.deployment.tflite.parse import read_file

    if isinstance(what, Run) or Path(what).is_dir():
        path = what.folder.path if isinstance(what, Run) else what
        run = Run.open(path, "model_int8.tflite")
        require_current(run.folder, "model_int8.tflite")
        require_own_file(read_file(run.folder.tflite)[0], run)
        if data is None:
            with run.folder.at_work() if robustness else nullcontext():
                return _evaluate_own_test(run, seed, robustness)
        what = run.folder.tflite
    if data is None:
        raise UserError(
            "evaluate needs --data for a .tflite file: a folder with one subfolder per class."
        )
    return evaluate_file(what, str(data), seed, robustness, stated(mean, std, labels))


def _evaluate_own_test(run: Run, seed: int, robustness: bool) -> dict[str, Any]:
    """Evaluate a run on its own test images; store the metrics of damaged copies."""
    from mobilenet_tf.deployment.proof.evaluate import evaluate as evaluate_split
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

    model = TFLiteModel(run.folder.tflite, threads=2)
    found = evaluate_split(model, run.data.test, run.classes, seed=seed, robustness=robustness)
    if robustness:
        from mobilenet_tf.deployment.report.page import write_report

        stored = [
            {name: copy[name] for name in _STORED} | run.task.shares_of(copy)
            for copy in found["robustness"]
        ]
        run.folder.update_result(robustness=stored)
        write_report(run.folder)
    facts = {"file": str(run.folder.tflite), "source": run.settings.data}
    return facts | metadata_of(run.task) | found | {"skipped": run.data.skipped}
