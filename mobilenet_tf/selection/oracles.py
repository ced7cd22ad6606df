"""Search algorithms: keras-tuner's oracles, with state that survives a kill.

keras-tuner is written for Keras 3. Only its oracles and the loop around them are used, which see
numbers and words but never a model.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus
from threadpoolctl import threadpool_limits

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_json
from mobilenet_tf.selection.oracle_state import check_trials, read_state
from mobilenet_tf.selection.search_settings import FACTOR, UNITS, SearchSettings
from mobilenet_tf.selection.tuning_space import Range

OBJECTIVE = "val_accuracy"
# Random values that may have been tried already before the space counts as exhausted. With
# keras-tuner's 20, a search would often leave out the last configurations of a small space.
_COLLISIONS = 2000
_OWN = (
    *("hyperparameters", "seed", "num_initial_points", "beta"),
    *("max_epochs", "min_epochs", "factor", "hyperband_iterations"),
)


def hyperparameters(
    settings: SearchSettings, networks: Sequence[str]
) -> keras_tuner.HyperParameters:
    """Return the space in keras-tuner's terms.

    The network is one choice among all that the budget allows, ordered by cost. No algorithm can
    ask for another, and the Gaussian process sees expensive networks next to expensive ones.
    """
    space = keras_tuner.HyperParameters()
    space.Choice("network", list(networks))
    for path, values in settings.space.fields.items():
        if isinstance(values, Range):
            kind = space.Int if values.whole else space.Float
            kind(path, values.least, values.most, sampling="log" if values.log else "linear")
        else:
            space.Choice(path, list(values))
    return space


class _Atomic(keras_tuner.Oracle):
    """Mixin that writes the oracle's state atomically, and checks it when it is read again."""

    def save(self) -> None:
        write_json(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial: Trial) -> None:
        file = Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        write_json(file, trial.get_state())

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


class _Hyperband(_Atomic, keras_tuner.oracles.HyperbandOracle):
    pass


class _Bayesian(_Atomic, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        # Thousands of products of tiny matrices: with threads they take a hundred times as long.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the bounds of the Gaussian process
            return super().populate_space(trial_id)


class _Random(_Atomic, keras_tuner.oracles.RandomSearchOracle):
    pass


def make_oracle(
    settings: SearchSettings, networks: Sequence[str], trials: int
) -> keras_tuner.Oracle:
    """Return the search algorithm.

    Args:
        settings: Settings of the search.
        networks: Labels of the networks to choose from, the cheapest first.
        trials: Number of trials; a trial that Hyperband continues counts as another one.
    """
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": hyperparameters(settings, networks),
        "seed": settings.seed + 1,  # keras-tuner takes 0 for no seed
    }
    if settings.algorithm == "hyperband":
        oracle = _Hyperband(max_epochs=UNITS, factor=FACTOR, hyperband_iterations=None, **common)
        oracle.max_trials = trials
    elif settings.algorithm == "bayesian":
        # keras-tuner's default, three per dimension, would use up a search of twenty trials.
        initial = max(3, trials // 3)
        oracle = _Bayesian(max_trials=trials, num_initial_points=initial, **common)
    else:
        oracle = _Random(max_trials=trials, **common)
    oracle.verbose, oracle._max_collisions = 0, _COLLISIONS
    return oracle


def first_of(oracle: keras_tuner.Oracle, trial: Trial) -> Trial:
    """Return the trial that this one continues if Hyperband promoted it, or else itself."""
    while "tuner/trial_id" in trial.hyperparameters.values:
        trial = oracle.get_trial(trial.hyperparameters.values["tuner/trial_id"])
    return trial
