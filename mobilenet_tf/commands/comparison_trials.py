"""The trials of a comparison: train, quantize and test one network with one seed."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilenet_tf.core.errors import Diverged, UserError
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.predictions import NONE, Predictions, read_predictions, write_predictions
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import TrialData, trial_run
from mobilenet_tf.selection.affordable import label
from mobilenet_tf.selection.comparison import ComparisonSettings

if TYPE_CHECKING:
    from mobilenet_tf.runs.run import Run

_BATCH = 64  # of the float network on the test pictures


class Trainer:
    """Trains networks as runs in `trials/`, and keeps what each predicts on the test pictures.

    Args:
        source: Source of the images, as for `load_data`.
        settings: Settings of the comparison.
        folder: Folder of the comparison.
    """

    def __init__(self, source: str, settings: ComparisonSettings, folder: Path):
        self.source, self.settings, self.folder = source, settings, folder
        self._data = TrialData(source, settings.recipe.batch)
        self._done: dict[tuple[str, int], tuple[Network, Predictions]] = {}

    def place(self, network: Network, seed: int) -> Path:
        """Return the run folder of a trial."""
        name = re.sub(r"[^\w.-]+", "_", label(network))
        return self.folder / "trials" / f"{name}_seed_{seed}"

    def collect(self, networks: Iterable[Network], seeds: Iterable[int]) -> int:
        """Read the finished trials of these networks and seeds; return their number.

        Raises:
            UserError: A trial was made with other settings, or of other pictures than another.
        """
        wanted = [(network, seed) for seed in seeds for network in networks]
        for network, seed in wanted:
            found = read_predictions(self.place(network, seed))
            if found is not None:
                self._require_own(network, seed)
                self._keep(network, seed, found)
        return len(self._done)

    def is_done(self, network: Network, seed: int) -> bool:
        """Return whether a trial is finished, as far as was collected."""
        return (label(network), seed) in self._done

    def outcome(self, network: Network, seed: int) -> Predictions:
        """Return the predictions of a finished trial."""
        return self._done[label(network), seed][1]

    def train(self, network: Network, seed: int) -> None:
        """Train and test a network; an interrupted trial continues after its last epoch.

        Raises:
            UserError: The pictures are not those of the finished trials, or cannot be used.
        """
        data = self.data(network, seed)
        with trial_run(
            self.run_settings(network, seed), self.place(network, seed), dataset=data
        ) as run:
            try:
                found = _tested(run, int8=self.settings.int8)
            except Diverged:
                none = (NONE,) * len(data.test)
                found = _predictions(data, none, none if self.settings.int8 else ())
            write_predictions(run.folder.path, found)
        self._keep(network, seed, found)

    def data(self, network: Network, seed: int) -> Dataset:
        """Return the images of a trial.

        Raises:
            UserError: They are not those of the finished trials, or cannot be used.
        """
        data = self._data.read(network, seed)
        for known, predictions in self._with_seed(seed):
            same_input = known.input == network.input
            if (same_input and predictions.fingerprint != data.fingerprint) or (
                not predictions.is_of(data)
            ):
                raise self._changed()
        return data

    def _keep(self, network: Network, seed: int, found: Predictions) -> None:
        for _, other in self._with_seed(seed):
            if (other.names, other.labels) != (found.names, found.labels):
                raise self._changed()
        self._done[label(network), seed] = network, found

    def _with_seed(self, seed: int) -> Iterator[tuple[Network, Predictions]]:
        return (found for (_, own), found in self._done.items() if own == seed)

    def _changed(self) -> UserError:
        return UserError(
            f"The images of {self.source} have changed since {self.folder} was started; start a "
            "new comparison for them."
        )

    def _require_own(self, network: Network, seed: int) -> None:
        folder = RunFolder(self.place(network, seed))
        now = self.run_settings(network, seed).with_absolute_paths()
        started = folder.settings()
        folder.require_same(now.with_classes(started.classes).to_dict(), started.to_dict())

    def run_settings(self, network: Network, seed: int) -> RunSettings:
        """Return the settings of a trial's run."""
        settings = self.settings
        return RunSettings(
            data=self.source,
            network=network,
            recipe=settings.recipe,
            weights=settings.weights,
            seed=seed,
        )


def _tested(run: "Run", *, int8: bool) -> Predictions:
    """Train a run's network, quantize it if asked for, and test all forms."""
    from mobilenet_tf.datasets.pipeline import evaluation_batches
    from mobilenet_tf.runs.train import train

    model, data = train(run), run.data
    learned = run.task.objective(run.network)
    batches = evaluation_batches(data.test, run.network.input, learned, _BATCH)
    scores = model.predict(batches, verbose=0)
    found = _predictions(data, _classes(scores), _quantized(run, model) if int8 else ())
    forms = ("float", "int8") if int8 else ("float",)
    accuracy = {form: fmean(found.correct(form).values()) for form in forms}
    run.folder.update_result(accuracy=accuracy)
    return found


def _quantized(run: "Run", float_model: Any) -> tuple[int, ...]:
    """Quantize a run's network, write its files, and return what the int8 file predicts."""
    from mobilenet_tf.commands.export import convert_run
    from mobilenet_tf.commands.quantize import storage
    from mobilenet_tf.deployment.proof.evaluate import run_all
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.runs.models import Models
    from mobilenet_tf.runs.quantize import quantize

    convert_run(run, Models(float_model, quantize(run, storage())))
    file = TFLiteModel(run.folder.tflite, threads=2)
    return _classes(file.output.dequantize(run_all(file, run.data.test.images, "Testing int8")))


def _predictions(data: Dataset, base: tuple[int, ...], quantized: tuple[int, ...]) -> Predictions:
    return Predictions(
        fingerprint=data.fingerprint,
        names=tuple(data.test.names),
        labels=tuple(data.test.labels.tolist()),
        float=base,
        int8=quantized,
    )


def _classes(scores: np.ndarray) -> tuple[int, ...]:
    return tuple(scores.argmax(axis=1).tolist())
