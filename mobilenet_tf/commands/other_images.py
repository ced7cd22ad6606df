"""Images that show none of the classes: the threshold is chosen by them, or measured on them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.common import working_on
from mobilenet_tf.commands.predict import stated
from mobilenet_tf.core.errors import UserError
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
    evaluated: dict[str, Any], other: str | Path, *, seed: int = 0, **statements: Any
) -> dict[str, Any]:
    """Measure how many other images a `.tflite` rejects.

    Args:
        evaluated: What `evaluate` returned, whose images are those of the classes.
        other: Folder of images that show none of the classes.
        seed: That of `evaluate`.
        statements: mean, std and labels, as for `evaluate`.

    Returns:
        {"folder", "images", "accepted", "auroc"}; see `Task.separation`.

    Raises:
        UserError: There are no such images, or the task of the file rejects none.
    """
    said = stated(**{"mean": None, "std": None, "labels": None, **statements})
    return separation(evaluated["file"], evaluated["source"], str(other), seed, said)
