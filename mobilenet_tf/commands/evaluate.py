"""`evaluate`: the metrics of a `.tflite` on labelled images. Needs no TensorFlow."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import require_own_file
from mobilenet_tf.commands.outcomes.evaluation import Evaluation
from mobilenet_tf.commands.predict import stated
from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.front_ends import find_front_end
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import TestImages
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
) -> Evaluation:
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
    found = evaluate_file(what, str(data), seed, robustness, stated(mean, std, labels))
    return Evaluation(found)


def evaluate_as(
    what: Run | str | Path,
    front_end: str,
    *,
    data: str | Path | None = None,
    seed: int = 0,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    labels: str | Path | None = None,
) -> Evaluation:
    """Measure what a `.tflite` loses with pictures as another program prepares them.

    Args:
        what: See `evaluate`, as well as the arguments below.
        front_end: The program, such as `mediapipe`.

    Returns:
        The result of `evaluate` with `front_end`, see `deployment.proof.evaluate.evaluate_as`.

    Raises:
        UserError: See `evaluate`; there is no such front end, or it does not fill the file's input.
    """
    program = find_front_end(front_end)
    found = evaluate(what, data=data, seed=seed, mean=mean, std=std, labels=labels)
    from mobilenet_tf.deployment.proof.evaluate import evaluate_as as measure
    from mobilenet_tf.deployment.proof.opening import model_input, open_model, task_of

    model, names = open_model(found["file"], stated(mean, std, labels))
    if data is not None:

        def load(spec: InputSpec) -> TestImages:
            return task_of(model).load_test(str(data), names, spec, seed, None)

        other = measure(program, model, model_input(model), load, names)
    else:
        run = what if isinstance(what, Run) else Run.open(what)

        def load(spec: InputSpec) -> TestImages:
            source, seed = run.settings.data, run.settings.seed
            read = run.task.read(source, spec, seed, say=False, judge_depth=False)
            return read.tested_with(run.classes)

        other = measure(program, model, run.network.input, load, run.classes)
    return Evaluation(found, front_end=other)


def _evaluate_own_test(run: Run, seed: int, robustness: bool) -> Evaluation:
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
    return Evaluation(facts | metadata_of(run.task) | found, skipped=run.data.skipped)
