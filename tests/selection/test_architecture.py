"""A search of networks: evolution, the budget, rewards, and what a kill leaves."""

import re

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.count import count
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.architecture import (
    ALGORITHMS,
    Architectures,
    ArchitectureSettings,
    Judge,
    Reward,
)
from mobilenet_tf.selection.cost import Budget, CountedTable
from mobilenet_tf.selection.oracles import Limits, make_oracle
from mobilenet_tf.selection.published_near import nearest_published
from mobilenet_tf.selection.search_loop import Trial, search
from mobilenet_tf.training.recipe import load_recipe
from tests.selection.architectures import TINY, tiny

LIMIT = 100_000  # about the half of the space
TRIALS = 6


@pytest.fixture
def problem(tmp_path):
    """A function from an algorithm to a search, of which a part is within the limit."""

    def make(algorithm: str, **others) -> Architectures:
        settings = ArchitectureSettings(
            data="digits", recipe=load_recipe("small_data"), algorithm=algorithm,
            **{"input": InputSpec(32, 1), "budget": Budget(macs=LIMIT), "seed": 3,
               "space": tiny(tmp_path)} | others,
        )  # fmt: skip
        return Architectures(settings, 10, CountedTable())

    return make


def accuracy(trial: Trial) -> float:
    """Larger networks are better, and those with wide features best."""
    found = count(trial.choice.network)
    return min(1.0, 0.3 + found.macs / 10**6 + found.parameters / 10**5)


class Training:
    def __init__(self, until: int | None = None):
        self.trials: list[Trial] = []
        self.until = until

    def __call__(self, trial: Trial) -> float:
        if len(self.trials) == self.until:
            raise KeyboardInterrupt
        self.trials.append(trial)
        return accuracy(trial)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_exceeds_the_budget_is_counted_and_not_trained(problem, tmp_path, algorithm):
    training = Training()
    found = search(problem(algorithm), training, tmp_path / "a", Limits(TRIALS))
    assert len(found.trials) == len(training.trials) == TRIALS
    assert found.refused > 0
    assert all(count(one.choice.network).macs <= LIMIT for one in training.trials)
    for one in found.trials:
        assert one.reward == one.accuracy == pytest.approx(accuracy(one.trial))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_killed_search_ends_as_one_that_was_not(problem, tmp_path, algorithm):
    whole = search(problem(algorithm), Training(), tmp_path / "a", Limits(TRIALS))
    with pytest.raises(KeyboardInterrupt):
        search(problem(algorithm), Training(until=4), tmp_path / "b", Limits(TRIALS))
    training = Training()
    resumed = search(problem(algorithm), training, tmp_path / "b", Limits(TRIALS))
    assert len(training.trials) == 2
    assert resumed == whole


@pytest.mark.parametrize("algorithm", ["random", "evolution"])
def test_a_network_is_tried_once(problem, tmp_path, algorithm):
    """Two numbers of blocks, with shortcuts or without, are three networks."""
    text = TINY
    for name, value in (
        ("kernel", "[3]"), ("expansion", "[3]"), ("se", "[false]"), ("activation", '["relu"]'),
    ):  # fmt: skip
        text = re.sub(rf"\n{name} = .*", f"\n{name} = {value}", text)
    text = text.replace("[16, 24]", "[16]").replace("\nwidth = [8, 16]", "\nwidth = [8]")
    own = problem(algorithm, space=tiny(tmp_path, text), budget=Budget())
    assert own.settings.space.configurations == 4
    found = search(own, Training(), tmp_path / "a", Limits(4)).trials
    assert len(found) == len({one.trial.choice.label for one in found}) == 3


def test_evolution_is_better_than_chance(problem, tmp_path):
    """With one seed in eight it is not; the sum over three seeds is."""

    def late(algorithm: str, seed: int) -> float:
        own = problem(algorithm, seed=seed)
        found = search(own, Training(), tmp_path / f"{algorithm}{seed}", Limits(24)).trials
        return sum(one.accuracy for one in found[-6:])

    evolution, random = (
        sum(late(algorithm, seed) for seed in range(3)) for algorithm in ("evolution", "random")
    )
    assert evolution > random


def test_the_oldest_die_and_the_best_of_a_sample_has_a_child(problem, tmp_path):
    """The best trial of all is the oldest: once it is dead, no child is its own."""
    own = problem("evolution", budget=Budget())
    oracle = make_oracle(own, Limits(12))
    oracle._set_project_dir(tmp_path, "oracle")
    assert oracle.population == 6
    trials = []
    for number in range(12):
        trial = oracle.create_trial("one")
        trials.append(trial.hyperparameters.values)
        if number >= 6:
            alive = trials[number - 6 : number]
            differ = [sum(values[k] != trials[number][k] for k in values) for values in alive]
            assert min(differ) == 1
        oracle.update_trial(trial.trial_id, {"val_accuracy": 1.0 - number / 100})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)


def test_a_time_limit_counts_the_time_before_a_kill(problem, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def training(trial):
        now[0] += 10
        return accuracy(trial)

    limits = Limits(100, seconds=45)
    assert len(search(problem("random"), training, tmp_path / "a", limits).trials) == 5
    now[0] += 1000  # no process works on it
    assert len(search(problem("random"), training, tmp_path / "a", limits).trials) == 5
    longer = Limits(100, seconds=65)
    assert len(search(problem("random"), training, tmp_path / "a", longer).trials) == 7


def test_rewards():
    soft = Reward.parse("soft")
    # Twice the latency is worth 5 % of the accuracy (Tan et al., 3).
    assert soft(0.5 * 1.05, 2.0, 1.0) == pytest.approx(soft(0.5, 1.0, 1.0), rel=2e-3)
    hard = Reward.parse("hard")
    assert [hard(0.6, latency, 2.0) for latency in (0.5, 2.0, 4.0)] == [0.6, 0.6, 0.3]
    assert Reward.parse("-0.1,-0.2", 4.0)(0.5, 1.0, None) == pytest.approx(0.5 * 4**0.1)
    assert soft(0.5, None, 1.0) == soft(0.5, 1.0, None) == 0.5
    for text in ("fast", "1", "nan,0", "0,-11"):
        with pytest.raises(UserError, match=r"(reward|below|above) is"):
            Reward.parse(text)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"algorithm": "grid"}, "algorithm is 'grid'; it must be one of evolution, hyperband"),
        (
            {"algorithm": "hyperband", "judge": Judge(kind="macs")},
            "hyperband needs short trainings",
        ),
        ({"budget": Budget(latency=1.0), "reward": Reward(target=2.0)}, "The target latency is 2"),
        ({"winners": 0}, "winners is 0"),
        ({"finalists": -1}, "finalists is -1"),
        ({"finalists": 2, "winners": 3}, "finalists is 2; it must be at least 3"),
        ({"seeds": 0}, "seeds is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_that_are_refused(problem, others, said):
    with pytest.raises(UserError, match=said):
        problem(**{"algorithm": "random"} | others)


def test_a_supernet_judges_at_one_size(tmp_path):
    space = tiny(tmp_path, TINY.replace("size = [32]", "size = [32, 64]"))
    fields = {
        "data": "digits",
        "input": InputSpec(32, 1),
        "recipe": load_recipe("small_data"),
        "space": space,
    }
    with pytest.raises(UserError, match=r"inputs of 32, 64 pixels, .* give --judge-size"):
        ArchitectureSettings(**fields, judge=Judge(kind="supernet"))
    ArchitectureSettings(**fields, judge=Judge(kind="supernet", size=32))


def test_published_networks_of_the_same_cost(problem, tmp_path):
    own = problem("random")
    network = own.network(own.settings.space.extreme(max))
    target = Affordable(network, CountedTable().cost(network))
    for one in nearest_published(target, CountedTable(), alphas=(0.05, 0.1, 0.2, 0.5)):
        others = nearest_published(one, CountedTable(), [one.network.name], (0.05, 0.1, 0.2, 0.5))
        assert others == [one]
        assert one.network.input == network.input
        assert one.network.classes == 10
