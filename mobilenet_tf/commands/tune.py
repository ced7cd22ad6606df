"""`tune`: search recipe, network, alpha and size for the best accuracy within a budget."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import LONGEST_PART, start_tensorflow
from mobilenet_tf.commands.outcomes.searches import Tuning
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.commands.search_folder import TrialTrainer, begin_folder
from mobilenet_tf.commands.search_outcome import read_networks, write_outcome
from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.load import class_names, source_name
from mobilenet_tf.deployment.devices.tables import budget_table
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import check_weights
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import TrialData
from mobilenet_tf.selection.affordable import Affordable, affordable
from mobilenet_tf.selection.cost import CountedTable
from mobilenet_tf.selection.search_environment import check_environment, is_worker
from mobilenet_tf.selection.search_settings import SearchSettings

if TYPE_CHECKING:  # it needs TensorFlow
    from mobilenet_tf.selection.search_loop import Trial

_MOST_TRIALS = 10_000


@applicable
def tune(
    settings: SearchSettings,
    *,
    trials: int = 15,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Tuning | None:
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
        The trials; None for a worker, whose chief has the results.

    Raises:
        UserError: The folder is in use and neither `overwrite` nor `resume` is set, or it belongs
            to other settings; the data is not suitable; or no network is within the budget.
    """
    check_whole("trials", trials, 1, _MOST_TRIALS)
    check_environment()
    networks = len(settings.space.networks(1, settings.input))
    settings.check_enough(trials, networks)
    check_weights(settings.weights)
    out = out or Path("runs") / f"tune_{source_name(settings.data)[:LONGEST_PART]}"
    with nullcontext() if is_worker() else at_work(Path(out)):
        return _search(settings, trials, Path(out), overwrite=overwrite, resume=resume)


def _search(
    settings: SearchSettings, trials: int, out: Path, *, overwrite: bool, resume: bool
) -> Tuning | None:
    """Search as `tune` does, in a folder that is locked."""
    trainer = _Trainer(settings, out)
    folder, networks = begin_search(
        settings,
        out,
        trials=trials,
        overwrite=overwrite,
        resume=resume,
        fingerprint=trainer.fingerprint,
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
    trials: int = 1,
    overwrite: bool = False,
    resume: bool = False,
    fingerprint: Callable[[Network], str] = lambda network: "",
) -> tuple[RunFolder, list[Affordable]]:
    """Make a search's folder, or continue an interrupted search.

    Args:
        settings: What is searched.
        out: The folder.
        trials: Number of trials.
        overwrite: Whether to replace an earlier search.
        resume: Whether to continue the search in the folder, if there is one.
        fingerprint: Called with the network of the smallest input before an earlier search is
            deleted; returns the fingerprint of its images, or raises if they are not suitable.

    Returns:
        The folder, and the networks within the budget; for a worker, all networks of the space,
        because the chief chooses among them.

    Raises:
        UserError: See `tune`.
    """
    folder = RunFolder(out)
    classes = len(class_names(settings.data))
    networks = settings.space.networks(classes, settings.input)
    smallest = min(networks, key=lambda network: network.input.side)

    def prepare() -> dict[str, Any]:
        fitting = _affordable(settings, networks)
        settings.check_enough(trials, len(fitting))
        return {"networks": [one.to_dict() for one in fitting]}

    begin_folder(
        folder,
        settings.to_dict(),
        fingerprint=lambda: fingerprint(smallest),
        prepare=prepare,
        overwrite=overwrite,
        resume=resume,
    )
    if is_worker():
        return folder, [Affordable(network, CountedTable().cost(network)) for network in networks]
    fitting = read_networks(folder, networks)
    settings.check_enough(trials, len(fitting))
    return folder, fitting


def _affordable(settings: SearchSettings, networks: Sequence[Network]) -> list[Affordable]:
    """Measure only what the budget limits: multiply-adds are counted without a device."""
    table = budget_table(settings.budget, settings.device)
    with activity_progress() as progress:
        return affordable(networks, settings.budget, table, progress)


class _Trainer(TrialTrainer):
    """Trains trials with the recipe's fields that they vary."""

    def __init__(self, settings: SearchSettings, folder: Path):
        largest = max((settings.recipe.batch, *settings.space.batches))
        data = TrialData(settings.data, largest)
        super().__init__(data, folder / "trials", self._run_settings)
        self._search = settings

    def _run_settings(self, trial: "Trial") -> RunSettings:
        search = self._search
        return RunSettings(
            data=search.data,
            network=trial.choice.network,
            recipe=search.trial_recipe(trial.fields),
            weights=search.weights,
            seed=search.seed,
        )

    def fingerprint(self, network: Network) -> str:
        """Return the fingerprint of the images at the network's size."""
        return self.dataset(network, self._search.seed).fingerprint
