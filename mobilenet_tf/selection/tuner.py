"""The search itself: keras-tuner says what to try, this project's own training tries it.

keras-tuner is written for Keras 3. Of it only the oracles and the loop around them are used:
they see numbers and words, never a model.
"""

import contextlib
import io
import json
import math
import shutil
import time
import warnings
from pathlib import Path

import keras_tuner
import tf_keras as keras
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from threadpoolctl import threadpool_limits

from mobilenet_tf.core.errors import Diverged
from mobilenet_tf.core.files import write_text
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import console
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import begin
from mobilenet_tf.runs.trial import trial_accuracy
from mobilenet_tf.selection.plan import Plan, Search
from mobilenet_tf.selection.space import Range

OBJECTIVE = "val_accuracy"
# Hyperband's unit is a quarter of a trial's epochs: the better half of the first trials goes on to
# two quarters, and of these the better half to the end. After an epoch or two of small data batch
# normalization's statistics lag behind, and say more than the values that are searched.
_UNITS, _FACTOR = 4, 2


def hyperparameters(plan: Plan, networks: list[str]) -> keras_tuner.HyperParameters:
    """The space in keras-tuner's terms.

    The network is one choice among all that can be afforded, ordered by cost, so that no
    algorithm can ask for others and the Gaussian process has dear beside dear.
    """
    space = keras_tuner.HyperParameters()
    space.Choice("network", networks)
    for path, values in plan.space.fields.items():
        if isinstance(values, Range):
            kind = space.Int if values.whole else space.Float
            kind(path, values.least, values.most, sampling="log" if values.log else "linear")
        else:
            space.Choice(path, list(values))
    return space


class _Whole:
    """For oracles: what they keep on disk survives a kill at any moment."""

    def save(self):
        write_text(Path(self._get_oracle_fname()), json.dumps(self.get_state()))

    def _save_trial(self, trial):
        file = Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        write_text(file, json.dumps(trial.get_state()))

    def reload(self):
        super().reload()
        # A trial is saved before the oracle that has begun it.
        self._retry_queue += [
            name
            for name, trial in self.trials.items()
            if trial.status == TrialStatus.RUNNING and name not in self._retry_queue
        ]


class _Hyperband(_Whole, keras_tuner.oracles.HyperbandOracle):
    pass


class _Bayesian(_Whole, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id):
        # Thousands of products of tiny matrices: threads take a hundred times as long.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the Gaussian process's bounds
            return super().populate_space(trial_id)


class _Random(_Whole, keras_tuner.oracles.RandomSearchOracle):
    pass


def make_oracle(plan: Plan, networks: list[str], trials: int) -> keras_tuner.Oracle:
    """The algorithm, which knows nothing of training.

    Args:
        trials: after which it stops; what Hyperband continues counts as another trial.
    """
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": hyperparameters(plan, networks),
        "seed": plan.seed + 1,  # 0 would be taken for none
    }
    if plan.algorithm == "hyperband":
        oracle = _Hyperband(max_epochs=_UNITS, factor=_FACTOR, hyperband_iterations=None, **common)
        oracle.max_trials = trials
    elif plan.algorithm == "bayesian":
        # The usual three per dimension would leave nothing of a search of twenty.
        initial = max(3, trials // 3)
        oracle = _Bayesian(max_trials=trials, num_initial_points=initial, **common)
    else:
        oracle = _Random(max_trials=trials, **common)
    oracle.verbose = 0
    return oracle


class _Tuner(BaseTuner):
    """Trains what the oracle asks for; each trial is a run folder in `trials/`."""

    def __init__(self, oracle: keras_tuner.Oracle, search: Search):
        self.plan, self.folder = search.plan, search.run.path
        self._data: dict[int, Dataset] = {}
        super().__init__(oracle, directory=str(self.folder), project_name="oracle")

    def save(self):
        if not self._is_worker():
            self.oracle.save()
        write_text(Path(self._get_tuner_fname()), "{}")

    def pre_create_trial(self):
        if self._is_worker():
            time.sleep(0.1)  # one that is told to wait asks again at once

    def run_trial(self, trial: Trial) -> dict[str, float]:
        fields = (f"{path} {value}" for path, value in fields_of(self.plan, trial).items())
        network = trial.hyperparameters.values["network"]
        _say(f"Trial {trial.trial_id}: {network}, {', '.join(fields)}")
        try:
            accuracy = self._train(trial)
        except Diverged:
            accuracy = 0.0
        except Exception as error:  # else keras-tuner goes on with the next trial
            raise keras_tuner.errors.FatalError(str(error)) from error
        left = "" if self._is_worker() else f", {self.remaining_trials} more to begin"
        _say(f"Trial {trial.trial_id}: validation {accuracy:.2%}{left}")
        return {OBJECTIVE: accuracy}

    def _train(self, trial: Trial) -> float:
        plan, values = self.plan, trial.hyperparameters.values
        model, alpha, size = values["network"].split()
        spec = make_network(model, float(alpha), int(size), channels=plan.channels)
        recipe = plan.recipe.with_fields(fields_of(plan, trial))
        folder = self.folder / "trials" / first_of(self.oracle, trial).trial_id
        keras.backend.clear_session()
        if not (folder / "config.toml").is_file():
            shutil.rmtree(folder, ignore_errors=True)
        job = begin(
            folder,
            plan.source,
            spec,
            recipe,
            plan.weights,
            plan.seed,
            resume=True,
            data=self._pictures(spec),
        )
        return trial_accuracy(job, epochs_of(plan, trial))

    def _pictures(self, spec: Network) -> Dataset:
        if spec.input.side not in self._data:
            with picture_progress(f"Reading {self.plan.source}") as progress:
                data = load_data(self.plan.source, spec.input, self.plan.seed, progress)
            self._data[spec.input.side] = data
        return self._data[spec.input.side]


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def first_of(oracle: keras_tuner.Oracle, trial: Trial) -> Trial:
    """The trial that this one continues, where Hyperband has promoted it; else itself."""
    while "tuner/trial_id" in trial.hyperparameters.values:
        trial = oracle.get_trial(trial.hyperparameters.values["tuner/trial_id"])
    return trial


def epochs_of(plan: Plan, trial: Trial) -> int:
    """How far a trial trains, the epochs of those that it continues included."""
    units = trial.hyperparameters.values.get("tuner/epochs", _UNITS)
    return math.ceil(plan.recipe.train.epochs * units / _UNITS)


def fields_of(plan: Plan, trial: Trial) -> dict:
    """A trial's fields of the recipe; of ranges to three digits, as people would write them."""
    values = {path: trial.hyperparameters.values[path] for path in plan.space.fields}
    for path, allowed in plan.space.fields.items():
        if isinstance(allowed, Range) and not allowed.whole:
            rounded = float(f"{values[path]:.3g}")
            values[path] = min(max(rounded, float(allowed.least)), float(allowed.most))
    return values


def run_search(search: Search, trials: int) -> list[dict] | None:
    """Search until so many trials are done, those of before a `resume` included.

    A chief only answers its workers until they are done.

    Returns:
        A row per trial: its network and costs, fields, epochs, validation_accuracy and run. None
        for a worker, whose chief has them.

    Raises:
        UserError: training could not go on.
    """
    oracle = make_oracle(search.plan, [row["network"] for row in search.networks], trials)
    with contextlib.redirect_stdout(io.StringIO()):  # says that it goes on
        tuner = _Tuner(oracle, search)
    tuner.save()
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    return None if tuner.oracle is not oracle else [_row(search, oracle, t) for t in _done(oracle)]


def _done(oracle: keras_tuner.Oracle) -> list[Trial]:
    ended = (oracle.trials[name] for name in sorted(oracle.trials, key=int))
    return [trial for trial in ended if trial.status == TrialStatus.COMPLETED]


def _row(search: Search, oracle: keras_tuner.Oracle, trial: Trial) -> dict:
    values = trial.hyperparameters.values
    network = next(row for row in search.networks if row["network"] == values["network"])
    return {
        "trial": trial.trial_id,
        **network,
        "fields": fields_of(search.plan, trial),
        "epochs": epochs_of(search.plan, trial),
        "validation_accuracy": trial.score,
        "run": f"trials/{first_of(oracle, trial).trial_id}",
    }
