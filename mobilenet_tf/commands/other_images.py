"""Images that show none of the classes: the threshold is chosen by them, or measured on them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.common import as_run, working_on
from mobilenet_tf.commands.outcomes.evaluation import OtherImages
from mobilenet_tf.commands.predict import stated
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.deployment.proof.opening import model_input, open_model, task_of
from mobilenet_tf.deployment.proof.separation import separation
from mobilenet_tf.runs.run import Run


def choose_by(run: Run | str | Path, other: str | Path) -> Run:
    """Let the exports of a run choose the threshold of its scores by other images too.

    Args:
        run: The run or its folder.
        other: Folder of images that show none of its classes.

    Returns:
        The run with this setting, which is in its `config.toml`.

    Raises:
        UserError: There is no such folder, or the run's task rejects no images.
    """
    if not Path(other).is_dir():
        raise UserError(f"other is {other}; it must be a folder of images.")
    with working_on(run, "config.toml") as opened:
        task = opened.task.with_other_images(str(other))
        return opened.with_settings(replace(opened.settings, task=task))


def evaluate_other(
    what: Run | str | Path,
    other: str | Path,
    *,
    data: str | Path | None = None,
    seed: int = 0,
    **statements: Any,
) -> OtherImages:
    """Measure how many other images a `.tflite` rejects, beside what `evaluate` measures.

    Args:
        what: See `evaluate`, as well as the arguments below.
        other: Folder of images that show none of the classes.
        data: Images of the classes.
        seed: Seed of their split.
        statements: mean, std and labels.

    Raises:
        UserError: See `evaluate`; or there are no such images, or the task rejects none.
    """
    run = None
    if isinstance(what, Run) or Path(what).is_dir():
        run = as_run(what, "model_int8.tflite")
        what = run.folder.tflite
    model, labels = open_model(what, stated(**statements))
    if data is not None:
        with picture_progress(f"Reading {data}") as progress:
            spec = model_input(model)
            own = task_of(model).load_test(str(data), labels, spec, seed, progress).images
    elif run is not None:
        own = run.data.test
    else:
        raise UserError("other needs data for a .tflite file: a folder with one folder per class.")
    return OtherImages(separation(model, own.images, str(other)))
