"""`tune`: search recipe, network, alpha and size for the best accuracy within a budget."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.commands.common import start_tensorflow
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.commands.search_outcome import read_result, write_outcome
from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_json
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.load import class_names, source_name
from mobilenet_tf.deployment.devices.tables import budget_table
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.own_files import require_apart, require_whole_search
from mobilenet_tf.runs.run import check_weights
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import TrialData, trial_accuracy, trial_run
from mobilenet_tf.selection.affordable import Affordable, affordable, restore
from mobilenet_tf.selection.cost import CountedTable
from mobilenet_tf.selection.search_environment import check_environment, is_worker
from mobilenet_tf.selection.search_settings import SearchSettings

if TYPE_CHECKING:  # it needs TensorFlow
    from mobilenet_tf.selection.tune import Trial

_MOST_TRIALS = 10_000


def tune(
    settings: SearchSettings,
    *,
    trials: int = 15,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> dict[str, Any] | None:
    """Search for the best validation accuracy within a budget.

    The folder then has `best.toml` (the winner's recipe), `trials.png`, `result.json`, a run
    folder per trial in `trials/`, and keras-tuner's state in `oracle/`.

    Args:
        settings: Data, algorithm, space, budget and whatever else describes the search.
        trials: Number of trials, including those of an earlier search that is resumed.
        out: The folder; `runs/tune_DATA` by default. A chief and its workers share it, and the
            chief makes it.
        overwrite: Replace an earlier search in the folder.
        resume: Continue an earlier search in the folder, if there is one.

    Returns:
        algorithm, limits, networks (number of networks within the budget), trials (one row each),
        best (a row), recipe, command (trains the winner), plot. None for a worker, whose chief
        has the results.

    Raises:
        UserError: The folder is in use and neither `overwrite` nor `resume` is set, or it belongs
            to other settings; the data is not suitable; or no network is within the budget.
    """
    check_whole("trials", trials, 1, _MOST_TRIALS)
    check_environment()
    _check_enough(settings, trials)
    check_weights(settings.weights)
    out = out or Path("runs") / f"tune_{source_name(settings.data)}"
    with nullcontext() if is_worker() else at_work(Path(out)):
        return _search(settings, trials, Path(out), overwrite=overwrite, resume=resume)


def _search(
    settings: SearchSettings, trials: int, out: Path, *, overwrite: bool, resume: bool
) -> dict[str, Any] | None:
    """Search as `tune` does, in a folder that is locked."""
    trainer = _Trainer(settings, out)
    folder, networks = begin_search(
        settings,
        out,
        overwrite=overwrite,
        resume=resume,
        check=trainer.dataset,
    )
    start_tensorflow()
    from mobilenet_tf.selection.tune import tune as search

    results = search(settings, networks, trainer, folder.path, trials)
    if results is None:
        return None
    if len(results) < trials:
        say(f"The space has no more to try: {len(results)} of {trials} trials were done.")
    rows = [
        {
            "trial": result.trial.number,
            **result.trial.choice.to_dict(),
            "fields": result.trial.fields,
            "epochs": result.trial.epochs,
            "validation_accuracy": result.accuracy,
            "run": f"trials/{result.trial.run}",
        }
        for result in results
    ]
    return write_outcome(settings, networks, rows, folder)


def begin_search(
    settings: SearchSettings,
    out: str | Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    check: Callable[[Network], object] = lambda network: None,
) -> tuple[RunFolder, list[Affordable]]:
    """Make a search's folder, or continue an interrupted search.

    Args:
        settings: What is searched.
        out: The folder.
        overwrite: Whether to replace an earlier search.
        resume: Whether to continue the search in the folder, if there is one.
        check: Called with the network of the smallest input before an earlier search is deleted;
            raises if its images are not suitable.

    Returns:
        The folder, and the networks within the budget; for a worker, all networks of the space,
        because the chief chooses among them.

    Raises:
        UserError: See `tune`.
    """
    folder, worker = RunFolder(out), is_worker()
    classes = len(class_names(settings.data))
    networks = settings.space.networks(classes, settings.channels)
    begun = folder.config_file.is_file()
    if begun and (resume or worker):
        folder.require_same(settings.to_dict())
    if worker:
        return folder, [Affordable(network, CountedTable().cost(network)) for network in networks]
    if begun and resume:
        require_whole_search(folder.path)
        rows = read_result(folder).get("networks")
        if rows is not None:
            return folder, restore(networks, rows)
    require_apart(
        folder.path, {"data": settings.data, "weights": settings.weights}, overwrite=overwrite
    )
    folder.require_free(overwrite or (begun and resume))
    fitting = _affordable(settings, networks)
    check(min((one.network for one in fitting), key=lambda network: network.input.side))
    # Only now: a search that cannot begin must not delete an earlier one.
    folder.clear("search")
    folder.write_config(settings.to_dict())
    write_json(folder.result_file, {"networks": [one.to_dict() for one in fitting]})
    return folder, fitting


def _affordable(settings: SearchSettings, networks: Sequence[Network]) -> list[Affordable]:
    """Measure only what the budget limits: multiply-adds are counted without a device."""
    table = budget_table(settings.budget, settings.device)
    with activity_progress() as progress:
        return affordable(networks, settings.budget, table, progress)


def _check_enough(settings: SearchSettings, trials: int) -> None:
    """Reject more trials than there are configurations.

    Hyperband's trials include those that continue others, so their number is not known before.
    """
    configurations = settings.space.configurations
    if settings.algorithm != "hyperband" and trials > configurations:
        raise UserError(
            f"trials is {trials}, but the space has {configurations:,} configurations; give at "
            "most as many trials, or a larger space."
        )


class _Trainer:
    """Trains trials as runs in `trials/`; a run that Hyperband continues stays in its folder."""

    def __init__(self, settings: SearchSettings, folder: Path):
        self.settings, self.folder = settings, folder
        self._data = TrialData(settings.data, settings.recipe.batch)

    def __call__(self, trial: "Trial") -> float:
        settings, network = self.settings, trial.choice.network
        run_settings = RunSettings(
            data=settings.data,
            network=network,
            recipe=settings.trial_recipe(trial.fields),
            weights=settings.weights,
            seed=settings.seed,
        )
        folder = self.folder / "trials" / trial.run
        with trial_run(run_settings, folder, dataset=self.dataset(network)) as run:
            return trial_accuracy(run, trial.epochs)

    def dataset(self, network: Network) -> Dataset:
        """Return the images at the network's size; each size is read once."""
        return self._data.read(network, self.settings.seed)
