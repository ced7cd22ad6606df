"""Choosing: limits hold, exceeded limits are listed, costs are those of real files."""

from dataclasses import replace

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.table import McuTable
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.deployment.tflite.from_graph import phone_file_size
from mobilenet_tf.networks.published.accuracy import Estimate, has_accuracy, recipes
from mobilenet_tf.networks.zoo import ZOO, make_network
from mobilenet_tf.selection.candidates import candidates
from mobilenet_tf.selection.choose import Choice, Option, choose, pareto
from mobilenet_tf.selection.cost import Budget, Cost
from mobilenet_tf.selection.tradeoff import draw_choice, draw_trials
from tests.scale import Scale

BUDGET = Budget(flash=300_000, ram=100_000)


@pytest.fixture(scope="module")
def micro_choice():
    return choose(BUDGET, cost_table("mcu"), classes=2)


def test_the_best_keeps_every_limit_and_is_on_the_front(micro_choice):
    best = micro_choice.best
    assert best.cost.flash <= 300_000
    assert best.cost.ram <= 100_000
    assert best in micro_choice.pareto
    inside = [o for o in micro_choice.pareto if o.cost.flash <= 300_000 and o.cost.ram <= 100_000]
    assert inside == [option for option in micro_choice.pareto if not option.breaks]
    assert len(inside) < len(micro_choice.pareto)
    assert best.top1 == max(option.top1 for option in inside)
    assert micro_choice.fitting[0].top1 == best.top1
    assert micro_choice.nearest is None
    assert (best.network.alpha, best.network.name) == (0.25, "v1")


def test_costs_are_those_of_the_device(micro_choice):
    best = micro_choice.best
    found = McuTable("mcu").measure_network(best.network)
    assert found == best.cost


def test_an_impossible_limit_is_listed():
    budget = Budget(flash=5_000, ram=10_000_000)
    result = choose(budget, cost_table("mcu"), classes=2)
    assert result.best is None
    assert result.nearest.breaks == ("flash",)
    assert result.nearest.cost.flash > 5_000
    # Size hardly changes the file, so a file that is too large does not justify a tiny input.
    assert result.nearest.network.input.side == 224


@pytest.mark.slow
def test_a_latency_budget_on_any_machine(tmp_path):
    table = PartsTable(Scale(), path=tmp_path / "cache.json")
    result = choose(Budget(latency=32.0, flash=310_000), table, classes=2)
    best = result.best
    assert (result.measured_on, result.device) == ("scale", "cpu")
    assert best.cost.latency <= 32
    assert table.cost(best.network) == best.cost
    assert (best.cost.flash, best.cost.ram) == phone_file_size(best.network)
    slow = [o for o in result.pareto if "latency" in o.breaks]
    assert slow
    assert all(option.cost.latency > 32 for option in slow)


def test_the_nearest_is_the_nearest_of_all(tmp_path, monkeypatch):
    """All of them miss by more than the factor that is looked at first."""
    few = list(candidates(2, names=("v1",), sizes=(32, 64, 96)))
    monkeypatch.setattr("mobilenet_tf.selection.choose.candidates", lambda *_: few)
    table = PartsTable(Scale(), path=tmp_path / "cache.json")
    budget = Budget(latency=12.0, ram=2_000)
    nearest = choose(budget, table, classes=2).nearest
    assert set(nearest.breaks) <= set(budget.limits)
    missed = max(nearest.cost.latency / 12, nearest.cost.ram / 2_000)
    everything = choose(Budget(), table, classes=2).pareto
    least = min(max(o.cost.latency / 12, o.cost.ram / 2_000) for o in everything)
    assert 1 < least <= missed < 1.01 * least


def test_a_limit_of_multiply_adds(tmp_path, monkeypatch):
    """The best network is on the front although another equals it in everything but work."""
    few = list(candidates(2, names=("v1", "v2"), sizes=(32, 64)))
    monkeypatch.setattr("mobilenet_tf.selection.choose.candidates", lambda *_: few)
    table = PartsTable(None, path=tmp_path / "cache.json")
    result = choose(Budget(macs=3_000_000), table, classes=2)
    assert result.best in result.pareto
    assert result.best.cost.macs <= 3_000_000
    assert result.best.cost.latency is None
    assert any(option.breaks == ("macs",) for option in result.pareto)


def test_latency_of_a_microcontroller_is_not_guessed():
    with pytest.raises(UserError, match="Latency on the device mcu cannot be measured here"):
        choose(Budget(latency=5), cost_table("mcu"))


def option(top1, latency, flash=1, ram=1, macs=1, error=0.0):
    network = make_network("v1", 1.0, 96)
    expected = Estimate(top1, "interpolated", error, "paddle")
    return Option(network, expected, Cost(latency, flash, ram, macs))


def test_pareto():
    good, cheap, beaten, tie = option(60, 2), option(50, 1), option(49, 1), option(60, 2)
    assert pareto([good, beaten, cheap]) == [cheap, good]
    assert len(pareto([good, tie])) == 2
    small = option(40, 3, flash=0)
    assert small in pareto([good, cheap, small])
    less = option(40, 3, macs=0)
    assert less not in pareto([good, cheap, less])
    assert less in pareto([good, cheap, less], ("latency", "flash", "ram", "macs"))


def test_the_plot_is_written(micro_choice, tmp_path):
    draw_choice(micro_choice, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(UserError, match="must end in"):
        draw_choice(micro_choice, tmp_path / "p.txt")
    with pytest.raises(UserError, match="cannot be written"):
        draw_choice(micro_choice, tmp_path / "p.png" / "p.png")


def test_the_plot_has_a_line_for_every_limit(micro_choice, tmp_path):
    draw_choice(micro_choice, tmp_path / "p.svg")
    text = (tmp_path / "p.svg").read_text()
    for title in ("flash, KB (mcu)", "RAM, KB (mcu)", "best that fits", " 300", " 100"):
        assert f"<!-- {title} -->" in text
    assert "latency" not in text


def test_the_plot_of_trials_has_the_cost_that_is_limited(tmp_path):
    cost = Cost(None, 300_000, 80_000, 12_000_000)
    trials = [("v1", cost, 0.9)]
    draw_trials(trials, (cost, 0.9), Budget(flash=400_000, macs=10**8), tmp_path / "p.svg")
    assert "<!-- flash, KB -->" in (tmp_path / "p.svg").read_text()
    draw_trials(trials, (cost, 0.9), Budget(), tmp_path / "p.svg")
    assert "<!-- million multiply-adds -->" in (tmp_path / "p.svg").read_text()


def test_one_recipe_as_far_as_it_has_the_networks(micro_choice):
    said = micro_choice.to_dict()
    assert said["recipe"] == recipes()["paddle"]
    assert said["other_recipes"]["v3_small_minimalistic"] == recipes()["slim"]
    for found in micro_choice.pareto:
        other = found.network.name in said["other_recipes"]
        assert (found.expected.recipe == "paddle") != other


def test_options_that_the_estimates_do_not_tell_apart_are_listed():
    assert option(60, 2, error=1.5).close_to(option(59, 1))
    assert not option(60, 2, error=0.5).close_to(option(59, 1, error=0.9))
    assert not option(60, 2).close_to(option(60, 1))
    close, far = option(59, 1, error=1.5), option(50, 0.5, error=1.5)
    best = option(60, 2)
    choice = Choice("cpu", "here", Budget(), "paddle", 3, best, (far, close, best), None)
    assert choice.close == [close]
    assert [one["top1"] for one in choice.to_dict()["close"]] == [59]
    assert replace(choice, best=None).close == []


def test_networks_without_published_accuracy_are_no_candidates(monkeypatch):
    monkeypatch.setitem(ZOO, "unknown", ZOO["v1"])
    assert not has_accuracy("unknown")
    assert list(candidates(2, names=("unknown",))) == []
    assert {network.name for network in candidates(2, names=("unknown", "v1"))} == {"v1"}
