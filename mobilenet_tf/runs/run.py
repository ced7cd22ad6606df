"""One run: its folder, its settings and its dataset. Every stage takes a `Run`."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.outcome import Shown
from mobilenet_tf.datasets.batch_plan import check_batch_fits
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.networks.published.stored import read_weights
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.facts import data_facts, model_facts
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.own_files import require_apart
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.settings import RunSettings, require_found
from mobilenet_tf.runs.teacher import check_teacher, places_of_classes
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.training.cluster import check_strategy, is_chief

if TYPE_CHECKING:
    from mobilenet_tf.training.fit import Session
    from mobilenet_tf.training.rehearsal import Rehearsal


class Run(Shown):
    """A run folder with its settings and its dataset.

    Attributes:
        folder: Paths and files.
        settings: The settings, as in `config.toml`.
        strategy: Where training runs, see `STRATEGIES`. It is not in `config.toml`, because a run
            may continue on other devices.
        rehearsal: Limits and times training; None, as usual, trains the whole recipe.
    """

    def __init__(
        self,
        folder: RunFolder,
        settings: RunSettings,
        *,
        strategy: str = "none",
        dataset: Dataset | None = None,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.strategy = strategy
        self._dataset = dataset
        self.rehearsal: Rehearsal | None = None

    def __rich__(self) -> Group:
        return Group(Text(str(self.folder.path)), self.result())

    @classmethod
    def open(cls, path: str | Path, *needed: str) -> "Run":
        """Open an existing run folder.

        Args:
            path: The folder.
            needed: Names of files that it must have.

        Raises:
            UserError: It is not a run folder, or a file listed in `needed` does not exist yet.
        """
        folder = RunFolder.open(path, *needed)
        return cls(folder, folder.settings())

    @property
    def network(self) -> Network:
        """The network, with the number of classes of the dataset."""
        return self.settings.network

    @property
    def task(self) -> Task:
        """What the network is for."""
        return self.settings.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self.settings.classes

    @property
    def is_chief(self) -> bool:
        """Whether this process keeps the run folder; see `training.cluster.is_chief`."""
        return is_chief(self.strategy)

    @property
    def data(self) -> Dataset:
        """The dataset, read at first use.

        Raises:
            UserError: It has changed since the run was started, or is not found from here.
        """
        if self._dataset is None:
            require_found(self.settings.data, self.folder.config_file)
            self._dataset = _read(self.settings)
            _require_unchanged(self._dataset, self.folder, self.classes)
        return self._dataset

    def session(self) -> "Session":
        """Return what all phases of training have in common."""
        from mobilenet_tf.training.fit import Session  # imports TensorFlow

        return Session(
            dataset=self.data,
            task=self.task,
            network=self.network,
            batch=self.settings.recipe.batch,
            seed=self.settings.seed,
            checkpoints=self.folder.checkpoints,
            logs=self.folder.logs,
            rehearsal=self.rehearsal,
        )

    def result(self) -> Result:
        """Read the metrics measured so far."""
        return self.folder.result()

    def reread(self) -> "Run":
        """Return the run with the settings that its folder has now."""
        settings = replace(self.folder.settings(), trust_code=self.settings.trust_code)
        return Run(self.folder, settings, strategy=self.strategy, dataset=self._dataset)

    def with_settings(self, settings: RunSettings) -> "Run":
        """Return the run with other settings, which are written to `config.toml`."""
        self.folder.write_config(settings.to_dict())
        return Run(self.folder, settings, strategy=self.strategy, dataset=self._dataset)


def begin(
    settings: RunSettings,
    *,
    out: str | Path,
    overwrite: bool = False,
    resume: bool = False,
    strategy: str = "none",
    dataset: Dataset | None = None,
    check: Callable[[RunSettings], object] = lambda settings: None,
) -> Run:
    """Create a run folder and read the dataset, or continue an interrupted run.

    Args:
        settings: The settings; their classes are replaced by those of the dataset.
        out: The run folder.
        overwrite: Whether to delete an earlier run in `out`.
        resume: Whether to continue the run in `out`, if there is one.
        strategy: Where training runs, see `STRATEGIES`. With several workers, all but the chief
            use a temporary folder instead of `out`.
        dataset: The dataset, if it has been read already.
        check: Called with the settings before anything is written or removed; raises if they
            cannot be used.

    Raises:
        UserError: The folder is in use and neither option is set, it was started with other
            settings, or a setting is not accepted.
    """
    settings = settings.with_absolute_paths()
    if not (resume and RunFolder(out).config_file.is_file()):
        inputs = {name: getattr(settings, name) for name in ("data", "teacher", "weights")}
        require_apart(Path(out), inputs, overwrite=overwrite)
    check_weights(settings.weights)
    if settings.weights == "none" and settings.recipe.transfer.frozen:
        raise UserError(
            f"The recipe {settings.recipe.name!r} starts with frozen layers, but weights is none; "
            "it must be imagenet or an existing file."
        )
    teacher_classes = check_teacher(settings)
    check_strategy(strategy)
    if not is_chief(strategy):
        out = tempfile.mkdtemp(prefix="mobilenet_tf_worker_")
        atexit.register(shutil.rmtree, out, ignore_errors=True)
    folder = RunFolder(out)
    with folder.at_work():
        if resume and folder.config_file.is_file():
            return _resumed(folder, settings, strategy, dataset)
        folder.require_free(overwrite)
        if dataset is None:
            dataset = _read(settings)
        if settings.classes not in ((), dataset.classes):
            raise UserError(
                f"The classes of {settings.data} are {', '.join(dataset.classes)}, not those of "
                f"the settings: {', '.join(settings.classes)}."
            )
        check_batch_fits(settings.recipe.batch, len(dataset.train), settings.network.input)
        settings = settings.with_data(dataset)
        places_of_classes(settings, teacher_classes)
        check(settings)
        # What cannot begin must not cost an earlier run, so the folder is cleared only now.
        folder.clear()
        folder.write_config(settings.to_dict())
        folder.update_result(
            task=settings.task.name,
            model=model_facts(settings.network),
            data=data_facts(dataset),
            seed=settings.seed,
        )
        return Run(folder, settings, strategy=strategy, dataset=dataset)


def _resumed(
    folder: RunFolder, settings: RunSettings, strategy: str, dataset: Dataset | None
) -> Run:
    started = replace(folder.settings(), trust_code=settings.trust_code).with_absolute_paths()
    # Changed images must be rejected before any work is done.
    dataset = _read(started) if dataset is None else dataset
    _require_unchanged(dataset, folder, started.classes)
    folder.require_same(settings.with_data(dataset).to_dict(), started.to_dict())
    folder.claim(new=False)
    folder.sweep()
    return Run(folder, started, strategy=strategy, dataset=dataset)


def _read(settings: RunSettings) -> Dataset:
    return settings.task.read(
        settings.data,
        settings.network.input,
        settings.seed,
        judge_depth=not settings.classes,  # the data of a run was judged when it began
        arrangement=settings.arrangement,
    )


def _require_unchanged(dataset: Dataset, folder: RunFolder, classes: tuple[str, ...]) -> None:
    known = folder.result().data.fingerprint
    if known not in (None, dataset.fingerprint) or dataset.classes != classes:
        raise UserError(
            f"The images of {dataset.source} have changed since {folder.path} was started; start "
            "a new run for them."
        )


def check_weights(weights: str) -> None:
    """Reject initial weights that do not exist or cannot be read.

    Raises:
        UserError: They are not `none`, `imagenet` or an existing file with weights.
    """
    if weights in ("none", "imagenet"):
        return
    if not Path(weights).is_file():
        raise UserError(f"weights is {weights!r}; it must be none, imagenet or an existing file.")
    if not read_weights(Path(weights)):
        raise UserError(f"weights is {weights!r}; it holds no layer with weights.")
