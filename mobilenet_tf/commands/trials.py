"""Train the most promising options briefly and rank them by their accuracy on the user's data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import read_marker
from mobilenet_tf.runs.own_files import visible
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import trial_accuracy, trial_run
from mobilenet_tf.selection.choose import Option
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.training.recipe import load_recipe

_MOST_TRIALS = 1000


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Short trainings that rank the most promising options on the user's own data.

    Attributes:
        data: Source of the images, as for `run`.
        count: Number of options to train, the most accurate first.
        epochs: Number of epochs of each trial.
        out: Folder; each trial is a run in it, and replaces an earlier one.
    """

    data: str
    count: int = 3
    epochs: int = 5
    out: Path = Path("runs/trials")

    def __post_init__(self) -> None:
        check_whole("trials", self.count, 0, _MOST_TRIALS)
        load_recipe("small_data").with_fields({"train.epochs": self.epochs})


def run_trials(options: Sequence[Option], trials: Trials, task: Task) -> list[dict[str, Any]]:
    """Train each option for a few epochs.

    Args:
        options: The options.
        trials: Data, number of epochs and folder of the trials.
        task: What the networks are for.

    Returns:
        The options as `Option.to_dict` describes them, with `validation_accuracy` and `run` (the
        folder), the best first.

    Raises:
        UserError: The data is not suitable for training.
    """
    fields = {"train.epochs": trials.epochs, "qat.epochs": 0}
    recipe = load_recipe(task.recipe).with_fields(fields)
    results = []
    for option in options:
        _require_trial(_folder(option, trials))
    for option in options:
        folder = _folder(option, trials)
        settings = RunSettings(data=trials.data, network=option.network, task=task, recipe=recipe)
        with trial_run(settings, folder, overwrite=True) as run:
            facts = {"validation_accuracy": trial_accuracy(run), "run": str(folder)}
        results.append(option.to_dict() | facts)
    return sorted(results, key=lambda result: -result["validation_accuracy"])


def _folder(option: Option, trials: Trials) -> Path:
    network = option.network
    return trials.out / f"{network.name}_{network.alpha:g}_{network.input.side}"


def _require_trial(folder: Path) -> None:
    """Check that a folder is free or has a trial, which is replaced.

    Raises:
        UserError: It has something else.
    """
    marker = read_marker(folder)
    if visible(folder) and (marker is None or marker.kind != "trial"):
        raise UserError(
            f"{folder} is not the folder of a trial, so it is not replaced; use --out for another "
            "folder of trials."
        )
