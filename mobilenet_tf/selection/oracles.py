"""Search algorithms: keras-tuner's oracles, with state that survives a kill, and evolution.

keras-tuner is written for Keras 3. Only its oracles and the loop around them are used, which see
numbers and words but never a model.
"""

import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from threadpoolctl import threadpool_limits

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_json
from mobilenet_tf.selection.oracle_state import check_trials, read_state
from mobilenet_tf.selection.search_settings import FACTOR, UNITS
from mobilenet_tf.selection.tuning_space import Range

OBJECTIVE = "val_accuracy"
# Random values that may have been tried or refused already before the space counts as exhausted.
# With keras-tuner's 20, a search would often leave out the last configurations of a small space.
_COLLISIONS = 2000
# Real et al. (2019) keep 100 and sample 25 in a search of 20,000 trainings; the share is theirs.
POPULATION, _SAMPLED = 16, 1 / 4
_ACQUIRED = 32  # random values that the Gaussian process chooses from
_OWN = (
    *("hyperparameters", "seed", "num_initial_points", "beta"),
    *("max_epochs", "min_epochs", "factor", "hyperband_iterations"),
)


class Proposals(Protocol):
    """What an oracle needs to know of a search.

    Attributes:
        algorithm: `hyperband`, `bayesian`, `random` or `evolution`.
        seed: Seed of the search.
        parameters: Name -> range, or values to choose from.
    """

    @property
    def algorithm(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def parameters(self) -> Mapping[str, Range | tuple]: ...

    def canonical(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same values for all that describe the same, which is tried only once."""

    def accepts(self, values: Mapping[str, Any]) -> bool:
        """Return whether values may be tried at all; others are never trained."""

    def reward(self, values: Mapping[str, Any], accuracy: float) -> float:
        """Return what an oracle maximizes, at least 0."""


@dataclass(frozen=True)
class Limits:
    """When a search ends.

    Attributes:
        trials: Number of trials; a trial that Hyperband continues counts as another one.
        seconds: Time during which trials are started, including that of a search that is resumed.
    """

    trials: int
    seconds: float = math.inf


def hyperparameters(problem: Proposals) -> keras_tuner.HyperParameters:
    """Return what is varied in keras-tuner's terms."""
    space = keras_tuner.HyperParameters()
    for name, values in problem.parameters.items():
        if isinstance(values, Range):
            kind = space.Int if values.whole else space.Float
            kind(name, values.least, values.most, sampling="log" if values.log else "linear")
        else:
            space.Choice(name, list(values))
    return space


class _Own(keras_tuner.Oracle):
    """Mixin: state that is written atomically and checked, refusals, rewards, and a time limit."""

    problem: Proposals
    seconds = math.inf

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.refused: set[str] = set()  # hashes of values
        self._spent, self._started = 0.0, time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds of this search so far, without the time in which no process worked on it."""
        return self._spent + time.monotonic() - self._started

    def left_text(self) -> str:
        """Return how much of the search is left, for the line after a trial."""
        left = self.seconds - self.spent
        if math.isfinite(left):
            return f", {max(0.0, left) / 60:.0f} more minutes"
        return f", {self.remaining_trials()} more to start"

    def save(self) -> None:
        write_json(Path(self._get_oracle_fname()), self.get_state())

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"refused": sorted(self.refused), "seconds": self.spent}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.refused = set(state.get("refused", ()))
        self._spent = state.get("seconds", 0.0)
        self._started = time.monotonic()

    def _save_trial(self, trial: Trial) -> None:
        file = Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        write_json(file, trial.get_state())

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        if self.spent > self.seconds:
            self.max_trials = len(self.trials)
        return super().create_trial(tuner_id)

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        super().end_trial(trial)
        self.save()  # keras-tuner's loop does, but not for the trials of workers

    def score_trial(self, trial: Trial) -> None:
        # The chief scores, so that workers need no costs.
        super().score_trial(trial)
        trial.score = self.problem.reward(trial.hyperparameters.values, trial.score)

    def accepts(self, values: dict[str, Any]) -> bool:
        """Return whether values may be tried; count those that may not."""
        accepted = self.problem.accepts(values)
        if not accepted:
            self.refused.add(self._compute_values_hash(values))
        return accepted

    def _compute_values_hash(self, values: dict[str, Any]) -> str:
        found: str = super()._compute_values_hash(self.problem.canonical(values))
        return found

    def _duplicate(self, values: dict[str, Any]) -> bool:
        return super()._duplicate(values) or not self.accepts(values)

    def _random_populate_space(self) -> dict[str, Any]:
        return _running(self._random_values())

    def reload(self) -> None:
        # The settings determine these; a file that was changed must not.
        own = {name: getattr(self, name) for name in _OWN if hasattr(self, name)}
        file = Path(self._get_oracle_fname())
        try:
            state = read_state(file)
            super().reload()
            check_trials(self.trials, state, own["hyperparameters"])
        except Exception as error:  # keras-tuner takes every value in its files as given
            raise UserError(
                f"The state of the search in {file} and beside it is damaged; restore it, or use "
                "--overwrite to search again from the start."
            ) from error
        for name, value in own.items():
            setattr(self, name, value)
        # A trial is saved before the oracle that began it, so the oracle may not list it.
        self._retry_queue += [
            name
            for name, trial in self.trials.items()
            if trial.status == TrialStatus.RUNNING and name not in self._retry_queue
        ]


def _running(values: dict[str, Any] | None) -> dict[str, Any]:
    """Return the answer of an oracle; without values, the space has no more to try."""
    status = TrialStatus.STOPPED if values is None else TrialStatus.RUNNING
    return {"status": status, "values": values}


class _Hyperband(_Own, keras_tuner.oracles.HyperbandOracle):
    pass


class _Random(_Own, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Bayesian(_Own, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        # A function of the trials so far, so that a resumed search proposes the same.
        self._random_state = np.random.RandomState((self.seed + len(self.trials)) % 2**32)
        # Thousands of products of tiny matrices: with threads they take a hundred times as long.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the bounds of the Gaussian process
            found: dict[str, Any] = super().populate_space(trial_id)
            if found["values"] is None or not self._duplicate(found["values"]):
                return found
            return self._best_accepted()

    def _best_accepted(self) -> dict[str, Any]:
        """Return the best of random values that may be tried, by the confidence bound.

        The bound's own optimum was tried or refused already, and would be found again.
        """
        drawn = [values for _ in range(_ACQUIRED) if (values := self._random_values())]
        if not drawn:
            return _running(None)
        space = self._nonfixed_space()
        places = [[one.value_to_prob(values[one.name]) for one in space] for values in drawn]
        mean, deviation = self.gpr.predict(np.array(places), return_std=True)
        return _running(drawn[int(np.argmin(mean - self.beta * deviation))])


class Evolution(_Own):
    """Regularized (aging) evolution (Real et al. 2019, algorithm 1).

    The population consists of the latest completed trials: with each new one the oldest dies,
    whatever its reward. The best of a random sample is the parent; its child differs in one value.
    """

    population = POPULATION

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        done = [self.trials[name] for name in self.end_order]
        alive = [one for one in done if one.status == TrialStatus.COMPLETED][-self.population :]
        if len(self.trials) < self.population or not alive:
            return self._random_populate_space()
        random = np.random.default_rng(self._seed_state)
        self._seed_state += 1
        count = min(len(alive), max(2, round(_SAMPLED * self.population)))
        sample = [alive[place] for place in random.choice(len(alive), count, replace=False)]
        parent = max(sample, key=lambda one: one.score)
        return _running(self._child(parent.hyperparameters.values, random))

    def _child(self, parent: dict[str, Any], random: np.random.Generator) -> dict[str, Any] | None:
        space = self.hyperparameters.space
        for _ in range(self._max_collisions):
            changed = space[random.integers(len(space))]
            value = changed.random_sample(self._seed_state)
            self._seed_state += 1
            child = parent | {changed.name: value}
            if not self._duplicate(child):
                return child
        return self._random_values()


def make_oracle(problem: Proposals, limits: Limits) -> keras_tuner.Oracle:
    """Return the search algorithm of a problem."""
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": hyperparameters(problem),
        "seed": problem.seed + 1,  # keras-tuner takes 0 for no seed
    }
    trials = limits.trials
    if problem.algorithm == "hyperband":
        oracle = _Hyperband(max_epochs=UNITS, factor=FACTOR, hyperband_iterations=None, **common)
        oracle.max_trials = trials
    elif problem.algorithm == "bayesian":
        # keras-tuner's default, three per dimension, would use up a search of twenty trials.
        counted = math.isinf(limits.seconds)
        initial = max(3, trials // 3) if counted else POPULATION
        oracle = _Bayesian(max_trials=trials, num_initial_points=initial, **common)
    elif problem.algorithm == "evolution":
        oracle = Evolution(max_trials=trials, **common)
        oracle.population = max(2, min(POPULATION, trials // 2))
    else:
        oracle = _Random(max_trials=trials, **common)
    oracle.problem, oracle.seconds = problem, limits.seconds
    oracle.verbose, oracle._max_collisions = 0, _COLLISIONS
    return oracle


def first_of(oracle: keras_tuner.Oracle, trial: Trial) -> Trial:
    """Return the trial that this one continues if Hyperband promoted it, or else itself."""
    while "tuner/trial_id" in trial.hyperparameters.values:
        trial = oracle.get_trial(trial.hyperparameters.values["tuner/trial_id"])
    return trial
