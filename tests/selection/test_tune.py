"""What is tried, and how a search continues after a kill.

The training is replaced by a known function of the values.
"""

import math
from pathlib import Path

import pytest

from mobilenet_tf.core.errors import Diverged, UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.selection.affordable import affordable
from mobilenet_tf.selection.cost import Budget, CountedTable
from mobilenet_tf.selection.search_loop import Trial, TrialResult
from mobilenet_tf.selection.search_settings import ALGORITHMS, SearchSettings
from mobilenet_tf.selection.tune import tune
from mobilenet_tf.selection.tuning_space import load_space
from mobilenet_tf.training.recipe import load_recipe

RECIPE = load_recipe("small_data")
SPACE = """
model = ["v1"]
alpha = [0.25, 0.35, 0.5, 1.0]
size = [32, 64]
[train]
learning_rate = { min = 1e-4, max = 1e-1, log = true }
label_smoothing = [0.0, 0.1]
"""
LIMIT = 6_000_000


def accuracy(trial: Trial) -> float:
    """Best at a rate of 0.003, and better with every epoch."""
    distance = abs(math.log10(trial.fields["train.learning_rate"] / 3e-3))
    return (0.95 - 0.3 * distance) * (1 - 0.5 ** (trial.epochs / 4))


@pytest.fixture
def settings(tmp_path):
    """A function from an algorithm to a search over rate, smoothing and five of eight networks."""
    file = tmp_path / "space.toml"
    file.write_text(SPACE)
    return lambda algorithm: SearchSettings(
        data="digits",
        input=InputSpec(32, 1),
        recipe=RECIPE,
        space=load_space(file, RECIPE),
        algorithm=algorithm,
        epochs=18,
        budget=Budget(macs=LIMIT),
        seed=3,
    )


class Training:
    """Trains nothing; `trials` has what was asked for."""

    def __init__(self):
        self.trials: list[Trial] = []

    def __call__(self, trial: Trial) -> float:
        self.trials.append(trial)
        return accuracy(trial)


@pytest.fixture
def training():
    return Training()


def run(settings, train, out: Path, trials: int = 8) -> list[TrialResult]:
    networks = settings.space.networks(10, settings.input)
    return tune(settings, affordable(networks, settings.budget, CountedTable()), train, out, trials)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_keeps_its_limit_and_its_number(settings, training, tmp_path, algorithm):
    networks = settings(algorithm).space.networks(10, settings(algorithm).input)
    assert len(affordable(networks, Budget(macs=LIMIT), CountedTable())) == 5  # of eight
    results = run(settings(algorithm), training, tmp_path / "a")
    assert len(results) == len(training.trials) == 8
    assert max(result.trial.choice.cost.macs for result in results) <= LIMIT
    labels = {result.trial.choice.label for result in results}
    assert labels > {results[0].trial.choice.label}
    for result, trial in zip(results, training.trials, strict=True):
        assert result.trial == trial
        assert result.accuracy == pytest.approx(accuracy(trial))
        recipe = settings(algorithm).trial_recipe(trial.fields)
        assert recipe.train.learning_rate == trial.fields["train.learning_rate"]
        assert recipe.train.epochs == 18
    again = run(settings(algorithm), Training(), tmp_path / "b")
    assert [result.trial.fields for result in again] == [result.trial.fields for result in results]


def test_hyperband_continues_the_better_ones(settings, training, tmp_path):
    results = run(settings("hyperband"), training, tmp_path / "a", trials=7)
    by_epochs = {n: [r for r in results if r.trial.epochs == n] for n in (5, 9, 18)}
    assert [len(found) for found in by_epochs.values()] == [4, 2, 1]
    for few, more in ((5, 9), (9, 18)):
        best = sorted(by_epochs[few], key=lambda result: -result.accuracy)
        promoted = [result.trial.run for result in by_epochs[more]]
        # The same run continues, with the same values.
        assert sorted(promoted) == sorted(r.trial.run for r in best[: len(promoted)])
    (last,) = by_epochs[18]
    first = next(result for result in results if result.trial.run == last.trial.run)
    assert last.trial.fields == first.trial.fields


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_interrupted_search_continues(settings, training, tmp_path, algorithm):
    def interrupted(trial):
        if len(training.trials) == 5:
            raise KeyboardInterrupt
        return training(trial)

    with pytest.raises(KeyboardInterrupt):
        run(settings(algorithm), interrupted, tmp_path / "a")
    before = list(training.trials)
    results = run(settings(algorithm), training, tmp_path / "a")
    assert len(results) == len(training.trials) == 8
    assert training.trials[:5] == before
    # More trials of a finished search.
    assert len(run(settings(algorithm), training, tmp_path / "a", trials=9)) == 9
    assert len(training.trials) == 9


def test_a_trial_that_diverges_is_the_worst_and_other_errors_end_the_search(
    settings, training, tmp_path
):
    errors = [None, Diverged("The loss is not finite."), None, None]

    def failing(trial):
        error = errors.pop(0) if errors else UserError("The disk is full.")
        if error:
            raise error
        return training(trial)

    with pytest.raises(UserError, match="The disk is full"):
        run(settings("random"), failing, tmp_path / "a")
    results = run(settings("random"), training, tmp_path / "a", trials=5)
    assert [result.accuracy == 0 for result in results] == [False, True, *[False] * 3]
