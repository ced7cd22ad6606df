"""The loop of a search: an oracle proposes trials, a callable trains or judges them.

It knows neither run folders nor how training works.
"""

import contextlib
import io
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial as OracleTrial
from keras_tuner.engine.trial import TrialStatus

from mobilenet_tf.core.errors import Diverged
from mobilenet_tf.core.files import write_text
from mobilenet_tf.core.terminal import say
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.oracles import OBJECTIVE, Limits, Proposals, first_of, make_oracle
from mobilenet_tf.selection.search_environment import is_distributed
from mobilenet_tf.selection.search_settings import UNITS


@dataclass(frozen=True)
class Trial:
    """One training of a search.

    Attributes:
        number: Its number, as text.
        run: Number of the first trial of the same network and fields, whose training it
            continues; its own if there is none.
        choice: The network and its cost.
        fields: Path in the recipe -> value, of the fields that are varied.
        epochs: Epoch to stop after, counted from the start of the training that it continues.
    """

    number: str
    run: str
    choice: Affordable
    fields: dict[str, Any]
    epochs: int


@dataclass(frozen=True)
class TrialResult:
    """A trial, the validation accuracy (0 to 1) that it reached, and its reward."""

    trial: Trial
    accuracy: float
    reward: float


@dataclass(frozen=True)
class SearchResult:
    """The finished trials in order, and how many proposals were refused untrained."""

    trials: list[TrialResult]
    refused: int


Train = Callable[[Trial], float]  # returns the validation accuracy


class Problem(Proposals, Protocol):
    """What a search varies, and what the values mean.

    Attributes:
        judged: What a trial returns, for the line printed after it.
        longest: Number of epochs of the longest trials.
    """

    @property
    def judged(self) -> str: ...

    @property
    def longest(self) -> int: ...

    def describe(self, values: Mapping[str, Any]) -> tuple[Affordable, dict[str, Any]]:
        """Return the network of some values, and the fields of the recipe."""


def search(problem: Problem, train: Train, folder: Path, limits: Limits) -> SearchResult | None:
    """Search until the limits are reached, counting what an earlier, resumed search did.

    A process that keras-tuner's environment variables make a chief only distributes trials until
    its workers are done; a worker trains what its chief asks for.

    Args:
        problem: What is searched.
        train: Trains a trial and returns its validation accuracy. `Diverged` counts as 0.
        folder: Folder in which keras-tuner saves its state, as `oracle/`.
        limits: When the search ends.

    Returns:
        The finished trials, or None for a worker.

    Raises:
        Exception: Anything else that `train` raises.
    """
    oracle = make_oracle(problem, limits)
    with contextlib.redirect_stdout(io.StringIO()):  # keras-tuner announces a resumed search
        tuner = _Tuner(oracle, problem, train, folder)
    tuner.save()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    if tuner.oracle is not oracle:  # replaced by a client of the chief
        return None
    finished = (oracle.trials[number] for number in sorted(oracle.trials, key=int))
    trials = [
        TrialResult(tuner.describe(trial), trial.metrics.get_best_value(OBJECTIVE), trial.score)
        for trial in finished
        if trial.status == TrialStatus.COMPLETED
    ]
    return SearchResult(trials, len(oracle.refused))


def reached(trial: Trial, train: Train) -> float:
    """Train a trial, and return the accuracy that it reaches: 0 if it diverges."""
    try:
        return train(trial)
    except Diverged:
        return 0.0


class _Tuner(BaseTuner):
    """Keras-tuner's loop around `train`."""

    def __init__(self, oracle: keras_tuner.Oracle, problem: Problem, train: Train, folder: Path):
        self.problem, self.train = problem, train
        super().__init__(oracle, directory=str(folder), project_name="oracle")

    def _get_tuner_fname(self) -> str:
        # Without the name of the process: a search that a chief began may continue without one.
        return str(Path(self.project_dir) / "tuner0.json")

    def save(self) -> None:
        # The folder is the chief's: what a worker writes would stand in its way.
        if not self._is_worker():
            self.oracle.save()
            write_text(Path(self._get_tuner_fname()), "{}")

    def pre_create_trial(self) -> None:
        if self._is_worker():
            time.sleep(0.1)  # a worker without a trial to train asks again at once

    def run_trial(self, trial: OracleTrial) -> dict[str, float]:
        described = self.describe(trial)
        values = (f"{path} {value}" for path, value in described.fields.items())
        text = ", ".join((described.choice.label, *values))
        before = "" if described.run == described.number else f" continues {described.run}"
        say(f"Trial {described.number}{before}: {text}")
        try:
            accuracy = reached(described, self.train)
        except Exception as error:  # otherwise keras-tuner would run the next trial
            raise keras_tuner.errors.FatalError(str(error)) from error
        left = "" if self._is_worker() else self.oracle.left_text()
        say(f"Trial {described.number}: {self.problem.judged} {accuracy:.2%}{left}")
        return {OBJECTIVE: accuracy}

    def describe(self, trial: OracleTrial) -> Trial:
        """Return a trial in this project's terms."""
        units = trial.hyperparameters.values.get("tuner/epochs", UNITS)
        choice, fields = self._values(trial)
        return Trial(
            number=trial.trial_id,
            run=self._run(trial),
            choice=choice,
            fields=fields,
            epochs=math.ceil(self.problem.longest * units / UNITS),
        )

    def _values(self, trial: OracleTrial) -> tuple[Affordable, dict[str, Any]]:
        return self.problem.describe(trial.hyperparameters.values)

    def _run(self, trial: OracleTrial) -> str:
        """Return the number of the first trial of the same network and fields.

        Hyperband promotes it, or different values describe the same: numbers are rounded, and some
        choices make no difference. Either way its training continues, so that nothing is trained
        twice. Workers know only what Hyperband promotes.
        """
        if is_distributed():
            return first_of(self.oracle, trial).trial_id
        known, wanted = self.oracle.trials, self._values(trial)
        numbers = sorted(known, key=int)
        return next(number for number in numbers if self._values(known[number]) == wanted)
