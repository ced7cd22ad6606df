"""The folder of a search: how it begins or continues, alone or as one of several processes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mobilenet_tf.commands.search_outcome import read_result, require_same_images
from mobilenet_tf.core.files import write_json
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.own_files import require_apart, require_whole_search
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import TrialData, trial_accuracy, trial_run
from mobilenet_tf.selection.search_environment import is_worker, wait_for_chief


class TrialLike(Protocol):
    """What training needs to know of a trial; the class itself needs TensorFlow."""

    @property
    def run(self) -> str: ...

    @property
    def epochs(self) -> int: ...


class TrialTrainer:
    """Trains trials as runs; one that Hyperband continues stays in its folder.

    Args:
        data: The images, which several trainers may share.
        folder: Folder of the runs.
        settings: Returns the settings of a trial's run; all have the same seed.
    """

    def __init__(self, data: TrialData, folder: Path, settings: Callable[[Any], RunSettings]):
        self.data, self.folder, self.settings = data, folder, settings

    def __call__(self, trial: TrialLike) -> float:
        """Train a trial, and return its validation accuracy."""
        settings = self.settings(trial)
        data = self.dataset(settings.network, settings.seed)
        with trial_run(settings, self.folder / trial.run, dataset=data) as run:
            return trial_accuracy(run, trial.epochs)

    def dataset(self, network: Network, seed: int) -> Dataset:
        """Return the images at the network's size; each size is read once."""
        return self.data.read(network, seed)


def begin_folder(
    folder: RunFolder,
    config: Mapping[str, Any],
    *,
    fingerprint: Callable[[], str],
    prepare: Callable[[], dict[str, Any]],
    overwrite: bool,
    resume: bool,
) -> None:
    """Make a search's folder, or check that it may be continued; workers wait for their chief.

    Args:
        folder: The folder.
        config: What is searched, as plain values for TOML; it has `data` and may have `weights`.
        fingerprint: Returns the fingerprint of the images, or raises if they are not suitable.
        prepare: Called for a new search before an earlier one is deleted; returns what
            `result.json` has at first.
        overwrite: Whether to replace an earlier search.
        resume: Whether to continue the search in the folder, if there is one.

    Raises:
        UserError: The folder is in use, or belongs to other settings or images.
    """
    worker = is_worker()
    if worker:
        wait_for_chief(folder.result_file)
    begun = folder.config_file.is_file()
    if begun and (resume or worker):
        folder.require_same(config)
        require_same_images(folder, fingerprint(), config["data"])
    if worker:
        return
    if begun and resume:
        require_whole_search(folder.path)
        if read_result(folder):
            return
    inputs = {name: config[name] for name in ("data", "weights") if name in config}
    require_apart(folder.path, inputs, overwrite=overwrite)
    folder.require_free(overwrite or (begun and resume))
    prepared = prepare()
    images = fingerprint()
    # Only now: a search that cannot begin must not delete an earlier one.
    folder.clear("search")
    folder.write_config(config)
    write_json(folder.result_file, {"fingerprint": images} | prepared)
