"""Choosing: limits are kept, what binds is named, figures are those of real files."""

import json

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.units import parse_bytes, parse_milliseconds
from mobilenet_tf.deployment.devices.cpu import LatencyTable, ThisMachine, runner
from mobilenet_tf.deployment.devices.targets import (
    DeviceTable,
    Limits,
    largest_that_fits,
    measure,
    require_fit,
)
from mobilenet_tf.deployment.tflite.from_graph import parts, phone_file
from mobilenet_tf.networks.published.accuracy import expected_top1
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.candidates import candidates
from mobilenet_tf.selection.chooser import LIMITS, Option, choose, command, pareto
from mobilenet_tf.selection.tradeoff import plot


@pytest.fixture(scope="module")
def micro_choice():
    return choose({"size": 300_000, "ram": 100_000}, "mcu", classes=2)


def test_the_best_keeps_every_limit_and_is_on_the_front(micro_choice):
    best = micro_choice["best"]
    assert best["bytes"] <= 300_000
    assert best["ram"] <= 100_000
    assert best in micro_choice["pareto"]
    inside = [o for o in micro_choice["pareto"] if o["bytes"] <= 300_000 and o["ram"] <= 100_000]
    assert inside == [option for option in micro_choice["pareto"] if not option["breaks"]]
    assert len(inside) < len(micro_choice["pareto"])
    assert best["top1"] == max(option["top1"] for option in inside)
    assert micro_choice["nearest"] is None
    assert command(best).endswith(f"--model {best['model']} --alpha 0.25 --size {best['size']}")


def test_figures_are_those_of_the_device(micro_choice):
    best = micro_choice["best"]
    found = measure(make_network(best["model"], best["alpha"], best["size"], 2))
    assert (found["bytes"], found["ram"]) == (best["bytes"], best["ram"])


def test_an_impossible_limit_is_named():
    result = choose({"size": 5_000, "ram": 10_000_000}, "mcu", classes=2)
    assert result["best"] is None
    assert result["nearest"]["breaks"] == ("size",)
    assert result["nearest"]["bytes"] > 5_000


class Scale:
    """A machine whose milliseconds are a file's bytes over 10,000."""

    name = "scale"

    def times(self, files):
        return {name: len(content) / 1e4 for name, content in files.items()}


def test_a_budget_of_latency_on_any_machine(tmp_path):
    table = LatencyTable(Scale(), tmp_path / "kept.json")
    limits = {"latency": 32.0, "size": 310_000}
    result = choose(limits, classes=2, table=table)
    best = result["best"]
    assert result["measured_by"] == "scale"
    assert best["latency"] <= 32
    spec = make_network(best["model"], best["alpha"], best["size"], 2)
    assert table.cost(spec) == {name: best[name] for name in ("latency", "bytes", "ram")}
    assert {k: best[k] for k in ("bytes", "ram")} == phone_file(spec)
    slow = [o for o in result["pareto"] if "latency" in o["breaks"]]
    assert slow
    assert all(option["latency"] > 32 for option in slow)


def test_the_nearest_is_the_nearest_of_all(tmp_path, monkeypatch):
    """All of them miss by more than the factor that is looked at first."""
    few = list(candidates(2, names=("v1",), sizes=(32, 64, 96)))
    monkeypatch.setattr("mobilenet_tf.selection.chooser.candidates", lambda *_: few)
    table = LatencyTable(Scale(), tmp_path / "kept.json")
    limits = {"latency": 12.0, "ram": 2_000}
    nearest = choose(limits, classes=2, table=table)["nearest"]
    assert set(nearest["breaks"]) <= set(limits)
    missed = max(nearest["latency"] / 12, nearest["ram"] / 2_000)
    everything = choose({}, classes=2, table=table)["pareto"]
    least = min(max(o["latency"] / 12, o["ram"] / 2_000) for o in everything)
    assert 1 < least <= missed < 1.01 * least


def test_of_those_as_near_the_most_accurate():
    """Size hardly changes the file, so a file that is too large is no reason for tiny pictures."""
    assert choose({"size": 5_000}, "mcu", classes=2)["nearest"]["size"] == 224


def test_latency_of_a_microcontroller_is_not_guessed():
    with pytest.raises(UserError, match="cannot be measured here"):
        choose({"latency": 5}, "mcu")


def test_unknown_target_and_limit():
    with pytest.raises(UserError, match="target is 'mcus'"):
        choose({}, "mcus")
    with pytest.raises(UserError, match="no limit 'watts'"):
        choose({"watts": 1}, "mcu")


def option(top1, latency, size=1, ram=1):
    return Option("v1", 1.0, 96, top1, "published", 1, latency, size, ram)


def test_pareto():
    good, cheap, beaten, tie = option(60, 2), option(50, 1), option(49, 1), option(60, 2)
    assert pareto([good, beaten, cheap]) == [cheap, good]
    assert len(pareto([good, tie])) == 2
    small = option(40, 3, size=0)
    assert small in pareto([good, cheap, small])
    assert set(LIMITS) == {"latency", "size", "ram"}


def test_the_plot_is_written(micro_choice, tmp_path):
    plot(micro_choice, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(UserError, match="must end in"):
        plot(micro_choice, tmp_path / "p.txt")
    with pytest.raises(UserError, match="cannot be written"):
        plot(micro_choice, tmp_path / "p.png" / "p.png")


def test_the_plot_has_a_line_for_every_limit(micro_choice, tmp_path):
    plot(micro_choice, tmp_path / "p.svg")
    text = (tmp_path / "p.svg").read_text()
    for title in ("file, KB (mcu)", "RAM, KB (mcu)", "best that fits", " 300", " 100"):
        assert f"<!-- {title} -->" in text
    assert "latency" not in text


def test_latencies_are_measured_once_and_kept(tmp_path):
    specs = [make_network("v1", 0.25, 32, 10), make_network("v1", 0.25, 64, 10)]
    table = LatencyTable(ThisMachine(1), tmp_path / "latency.json")
    # V1 repeats a block, whose time is measured once; one more is for the call itself.
    distinct = {part for spec in specs for part in parts(spec)}
    assert len(distinct) < 2 * len(parts(specs[0]))
    assert table.measure(specs) == len(distinct) + 1
    kept = LatencyTable(ThisMachine(1), tmp_path / "latency.json")
    assert kept.measure(specs) == 0
    assert kept.milliseconds(specs[1]) == table.milliseconds(specs[1]) > 0
    assert LatencyTable(ThisMachine(2), tmp_path / "latency.json").measure(specs[:1]) > 0
    (tmp_path / "latency.json").write_text("{ damaged")
    assert LatencyTable(ThisMachine(1), tmp_path / "latency.json").measure(specs[:1]) > 0


def test_a_table_adds_up_parts_without_their_calls(tmp_path):
    class TwoEach:
        name = "two each"

        def times(self, files):
            return {name: 0.5 if name.startswith("least") else 2.0 for name in files}

    spec = make_network("v1", 0.25, 32, 10)
    table = LatencyTable(TwoEach(), tmp_path / "latency.json")
    table.measure([spec])
    assert len(parts(spec)) == 15
    assert table.milliseconds(spec) == 0.5 + 15 * 1.5
    kept = json.loads((tmp_path / "latency.json").read_text())
    assert list(kept) == ["two each"]


@pytest.mark.parametrize("target", ["mcu", "ethos-u55-64"])
def test_devices_are_asked_once(tmp_path, target, monkeypatch):
    specs = [make_network("v1", 0.25, size, 2) for size in (32, 64)]
    table = DeviceTable(target, tmp_path / "kept.json")
    seen = []
    assert table.measure(specs, lambda *told: seen.append(told)) == 2
    assert [told[1:] for told in seen] == [(1, 2), (2, 2)]
    again = DeviceTable(target, tmp_path / "kept.json")
    assert again.measure(specs) == 0
    assert again.cost(specs[1]) == table.cost(specs[1])
    found = measure(specs[0], target)
    assert table.cost(specs[0]) == {name: found[name] for name in ("latency", "bytes", "ram")}
    # Another version of this package writes other files.
    monkeypatch.setattr("mobilenet_tf.deployment.devices.targets.__version__", "0.0.0")
    assert DeviceTable(target, tmp_path / "kept.json").measure(specs[:1]) == 1


def test_limits_name_what_fits():
    spec = make_network("v1", 0.5, 96, 2)
    found = measure(spec)
    require_fit(spec, Limits(found["ram"], found["bytes"]), found["ram"], found["bytes"])
    limits = Limits(arena=100_000, flash=300_000)
    with pytest.raises(UserError, match=r"largest that does is --model v1 --alpha 0\.25 --size 96"):
        require_fit(spec, limits, found["ram"], found["bytes"])
    with pytest.raises(UserError, match="No network at any alpha and size does"):
        require_fit(spec, Limits(arena=100), found["ram"], found["bytes"])
    best, figures = largest_that_fits(spec, limits)
    assert limits.broken(figures["ram"], figures["bytes"]) == []
    bigger = measure(make_network("v1", best.alpha, best.size + 32, 2))
    assert limits.broken(bigger["ram"], bigger["bytes"])


def test_expected_accuracy():
    assert expected_top1("v2", 0.35, 96) == (45.5, "published")
    value, basis = expected_top1("v1", 0.6, 176)
    assert 59.1 < value < 67.2
    assert basis == "interpolated"
    value, basis = expected_top1("v3_small", 0.5, 96)
    assert value < expected_top1("v3_small", 0.75, 224)[0]
    assert basis == "extrapolated"
    values = [expected_top1("v3_large", 1.0, size)[0] for size in (64, 96, 128, 192, 224)]
    assert values == sorted(values)
    with pytest.raises(UserError, match="no model named 'v9'"):
        expected_top1("v9", 1, 224)


def test_quantities():
    assert [parse_bytes(t, "--x") for t in ("200KB", "1 KiB", "300000", ".5mb", None)] == [
        200_000, 1024, 300_000, 500_000, None,
    ]  # fmt: skip
    assert [parse_milliseconds(t, "--x") for t in ("5ms", "800us", "0.1s", "7")] == [5, 0.8, 100, 7]
    for text in ("", "KB", "-5KB", "0", "5XB", "1e3", "5 ms 3"):
        with pytest.raises(UserError, match="--x is"):
            parse_bytes(text, "--x")


def test_a_runner_takes_any_input(files):
    for path in (files.float32, files.uint8, files.int8):
        runner(path.read_bytes())()
