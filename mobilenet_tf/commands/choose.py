"""`choose`: the network, alpha and size with the best expected accuracy within a budget."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import start_tensorflow
from mobilenet_tf.commands.outcomes.choice import Recommendation
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.commands.trials import Trials, run_trials
from mobilenet_tf.core.bounds import check_threads
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.plotting import PlotFile
from mobilenet_tf.core.terminal import run_command
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection import choose as selection
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.tasks.registry import DEFAULT, options_of
from mobilenet_tf.tasks.task import Task

_CLASSES = 10  # where nothing says how many


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a network is chosen for.

    Attributes:
        task: The task; costs are those of networks with its head.
        classes: Number of classes; None takes that of the data of the trials, or 10.
        channels: 3 (RGB) or 1 (grey).
    """

    task: Task = DEFAULT
    classes: int | None = None
    channels: int = 3


@applicable
def choose(
    budget: Budget | None = None,
    *,
    device: str = "cpu",
    purpose: Purpose = Purpose(),
    threads: int = 1,
    trials: Trials | None = None,
    plot: PlotFile | str | Path | None = None,
) -> Recommendation:
    """Choose the network, alpha and size with the best expected accuracy within a budget.

    Args:
        budget: The most that the network may cost; None for no limit.
        device: Device that costs are measured on, as for `cost_table`.
        purpose: What the network is for.
        threads: Number of CPU threads, on this machine or on the phone.
        trials: Trains the best options briefly, and recommends the one that does best.
        plot: New file for a plot of the trade-off, which ends in .png, .svg or .pdf; a `PlotFile`
            may replace one.

    Raises:
        UserError: An unknown device, or one that is not connected or installed; a latency limit
            for a device whose latency is unknown; or a plot that cannot be written.
    """
    drawing = plot if plot is None or isinstance(plot, PlotFile) else PlotFile(Path(plot))
    check_threads(threads)
    # Wrong numbers are reported before any data is read.
    task, channels = purpose.task, purpose.channels
    asked = _CLASSES if purpose.classes is None else purpose.classes
    make_network("v1", classes=asked, channels=channels)
    classes = _number_of_classes(purpose, trials)
    table = cost_table(device, threads=threads)
    with activity_progress() as progress:
        choice = selection.choose(
            budget or Budget(),
            table,
            task=task,
            classes=classes,
            channels=channels,
            progress=progress,
        )
    if drawing is not None:
        from mobilenet_tf.selection.tradeoff import draw_choice

        draw_choice(choice, drawing.path)
    result = Recommendation(choice.to_dict())
    best = result["best"]
    if best and trials and trials.count:
        start_tensorflow()
        options = choice.fitting[: trials.count]
        result["trials"] = run_trials(options, trials, task)
        best = result["trials"][0]
    if best:
        result["command"] = training_command(best, trials.data if trials else "DIR", channels, task)
    return result


def _number_of_classes(purpose: Purpose, trials: Trials | None) -> int:
    """Return the number of classes that was asked for, or that of the data.

    Raises:
        UserError: They are different.
    """
    classes = purpose.classes
    if trials is None:
        return _CLASSES if classes is None else classes
    found = len(purpose.task.class_names(trials.data))
    if classes not in (None, found):
        raise UserError(f"classes is {classes}, but {trials.data} has {found} classes.")
    return found


def training_command(
    option: dict[str, Any], data: str = "DIR", channels: int = 3, task: Task = DEFAULT
) -> str:
    """Return the command line that trains an option, given as `Option.to_dict` does."""
    _, usual = task.usual_input(data)
    return run_command(
        **options_of(task),
        data=data,
        model=option["model"],
        alpha=option["alpha"],
        size=option["size"],
        channels=channels if channels != usual else None,
    )
