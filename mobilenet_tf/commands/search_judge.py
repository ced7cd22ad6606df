"""How candidates of a search are judged before the best are trained in full."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf.commands.architecture_outcome import FINALISTS, TRIALS
from mobilenet_tf.commands.search_folder import TrialTrainer
from mobilenet_tf.core.terminal import say
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import TrialData
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.architecture import Architectures
from mobilenet_tf.selection.cost import CountedTable
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK

if TYPE_CHECKING:  # they need TensorFlow
    from mobilenet_tf.selection.search_loop import Trial, TrialResult
    from mobilenet_tf.selection.supernet_judge import Supernet


class CandidateJudge:
    """Judges candidates on the training and validation images, as the settings say.

    Args:
        problem: The search.
        folder: Its folder, for short trainings (`trials/`), the supernet (`supernet/`) and the
            finalists (`finalists/`).
    """

    def __init__(self, problem: Architectures, folder: Path):
        self.problem, self.settings, self.folder = problem, problem.settings, folder
        settings = self.settings
        data = TrialData(settings.data, settings.recipe.batch)
        self._trainer = TrialTrainer(data, folder / TRIALS, self._run_settings)
        self._most = problem.network(settings.space.extreme(max))
        self._supernet: Supernet | None = None

    def __call__(self, trial: "Trial") -> float:
        """Return the validation accuracy of a candidate, or its share of the most multiply-adds."""
        kind = self.settings.judge.kind
        if kind == "training":
            return self._trainer(trial)
        network = trial.choice.network
        if kind == "macs":
            counted = CountedTable()
            return counted.cost(network).macs / counted.cost(self._most).macs
        if self._supernet is None:
            self._supernet = self._trained()
        return self._supernet.accuracy(self.problem.values_of(network))

    def finalists(self, choices: Sequence[Affordable]) -> "list[TrialResult]":
        """Train candidates again, at their own size and for longer; one that diverges reaches 0."""
        from mobilenet_tf.selection.search_loop import Trial, TrialResult, reached

        epochs, found = self.settings.finalist_epochs, []
        folder = self.folder / FINALISTS
        trainer = TrialTrainer(self._trainer.data, folder, self._finalist_settings)
        for number, one in enumerate(choices, start=1):
            say(f"Finalist {number} of {len(choices)}: {one.label}")
            trial = Trial(str(number), one.network.name, one, {}, epochs)
            accuracy = reached(trial, trainer)
            say(f"Finalist {number} of {len(choices)}: validation {accuracy:.2%}")
            reward = self.problem.reward(self.problem.values_of(one.network), accuracy)
            found.append(TrialResult(trial, accuracy, reward))
        return found

    def fingerprint(self) -> str:
        """Return the fingerprint of the images on which candidates are judged."""
        network = self._sized(self._most)
        return self._trainer.dataset(network, self.settings.seed).fingerprint

    def _run_settings(self, trial: "Trial") -> RunSettings:
        return self._settings_of(self._sized(trial.choice.network), self.settings.judge.epochs)

    def _finalist_settings(self, trial: "Trial") -> RunSettings:
        return self._settings_of(trial.choice.network, trial.epochs)

    def _settings_of(self, network: Network, epochs: int) -> RunSettings:
        settings = self.settings
        return RunSettings(
            data=settings.data,
            network=network,
            recipe=settings.recipe.with_fields({"train.epochs": epochs}),
            seed=settings.seed,
        )

    def _sized(self, network: Network) -> Network:
        size = self.settings.judge.size
        return network if size is None else replace(network, input=network.input.sized(size))

    def _trained(self) -> "Supernet":
        from mobilenet_tf.selection.supernet_judge import Supernet
        from mobilenet_tf.training.fit import Session

        settings, network = self.settings, self._sized(self._most)
        folder = self.folder / "supernet"
        session = Session(
            dataset=self._trainer.dataset(network, settings.seed),
            task=DEFAULT_TASK,
            network=network,
            batch=settings.recipe.batch,
            seed=settings.seed,
            checkpoints=folder / "checkpoints",
            logs=folder / "logs",
        )
        recipe = settings.recipe.with_fields({"train.epochs": settings.judge.epochs})
        found = Supernet(settings.space, network, recipe, session)
        found.train()
        return found
