"""Trials: runs that measure what a network reaches, in folders that belong to a search."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.datasets.batch_plan import check_batch_fits
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.own_files import is_ours, remove_written
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK
from mobilenet_tf.tasks.task import Task


class TrialData:
    """The images of the trials of one search: those of an input are read once per seed.

    Args:
        source: Source of the images, as for `load_data`.
        batch: Number of images per step, the largest of all trials.
        task: What the networks are for.
    """

    def __init__(self, source: str, batch: int, task: Task = DEFAULT_TASK) -> None:
        self.source, self.batch, self.task = source, batch, task
        self._seed: int | None = None
        self._known: dict[InputSpec, Dataset] = {}
        self._said = False

    def read(self, network: Network, seed: int) -> Dataset:
        """Return the images at the network's input, in the splits of a seed.

        Raises:
            UserError: They cannot be read, or are too few for the batch.
        """
        if seed != self._seed:  # the images of one seed may fill the memory
            self._seed, self._known = seed, {}
        if network.input not in self._known:
            data = self.task.read(self.source, network.input, seed, say=not self._said)
            self._said = True
            check_batch_fits(self.batch, len(data.train), network.input)
            self._known[network.input] = data
        return self._known[network.input]


@contextmanager
def trial_run(
    settings: RunSettings,
    folder: Path,
    *,
    dataset: Dataset | None = None,
    overwrite: bool = False,
) -> Iterator[Run]:
    """Begin a trial, or continue it, and keep other processes out of its folder meanwhile.

    Args:
        settings: Settings of its run.
        folder: Its folder.
        dataset: The dataset, if it has been read already.
        overwrite: Whether to replace an earlier trial instead of continuing it.

    Raises:
        UserError: See `begin`.
    """
    import tf_keras as keras

    keras.backend.clear_session()
    with at_work(folder):
        if is_ours(folder) and not (folder / "config.toml").is_file():
            remove_written(folder)  # it was interrupted before it began
        run = begin(
            settings, out=folder, overwrite=overwrite, resume=not overwrite, dataset=dataset
        )
        run.folder.rename_kind("trial")
        yield run


def trial_accuracy(run: Run, until: int | None = None) -> float:
    """Train the float network of a run and return the validation score of its best weights.

    Continues from the checkpoint if there is one; writes `float.keras` and `result.json` as
    `train` does.

    Args:
        run: The run.
        until: Number of epochs after which to stop, while the learning rate follows the schedule
            of all the recipe's epochs; None trains them all.

    Returns:
        `Task.curve` on the validation images at the epoch with the lowest loss; for classification
        the share of them that are classified correctly.

    Raises:
        Diverged: The loss is NaN or infinite.
    """
    from mobilenet_tf.runs.train import train

    train(run, until)
    return validation_accuracy(run.result()) or 0.0


def validation_accuracy(result: Result) -> float | None:
    """Return the metric of a float network on validation at the epoch with the lowest loss.

    None if it has not been trained, or the loss was never finite.
    """
    curves, metric = result.history.float or {}, result.task_class.curve
    epochs = zip(curves.get("val_loss", ()), curves.get(f"val_{metric}", ()), strict=True)
    known = [(loss, accuracy) for loss, accuracy in epochs if loss is not None]
    return min(known, key=lambda epoch: epoch[0])[1] if known else None
