"""Budgets: what exceeds them, by how much, and in which words."""

import re

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.units import parse_bytes, parse_milliseconds
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import Budget, Cost, CountedTable, check_budget

COST = Cost(latency=4.0, flash=300_000, ram=80_000, macs=12_000_000)


def test_a_budget_is_exceeded_by_more_than_its_limits():
    assert Budget(flash=300_000, ram=80_000, latency=4, macs=12_000_000).exceeded(COST) == ()
    budget = Budget(latency=3, flash=300_000, ram=79_999)
    assert budget.limits == {"latency": 3, "flash": 300_000, "ram": 79_999}
    assert budget.exceeded(COST) == ("latency", "ram")
    assert budget.excess(COST) == 4 / 3
    assert Budget().exceeded(COST) == ()
    assert Budget().excess(COST) == 0


def test_an_unknown_latency_exceeds_nothing():
    unknown = Cost(None, 300_000, 80_000, 1)
    assert Budget(latency=1, flash=200_000).exceeded(unknown) == ("flash",)
    assert Budget(latency=1, flash=200_000).excess(unknown) == 1.5


def test_words():
    budget = Budget(latency=2.5, flash=200_000, macs=10**7)
    assert budget.compare(COST) == (
        "latency 4 of 2.5 ms and flash 300,000 of 200,000 bytes and 12,000,000 of 10,000,000 "
        "multiply-adds"
    )
    assert Budget(ram=1000).compare(COST, ["ram"]) == "RAM 80,000 of 1,000 bytes"


@pytest.mark.parametrize("limit", [0, -1])
def test_limits_are_positive(limit):
    with pytest.raises(UserError, match=re.escape(f"The limit of ram is {limit}; it must be gr")):
        Budget(ram=limit)


def test_counting():
    network, table = make_network("v1", 0.25, 96, 2), CountedTable()
    found = count(network)
    cost = Cost(None, found.weight_bytes, found.peak_activation_bytes, found.macs)
    assert table.cost(network) == table.lower_bound(network) == cost
    assert table.measure([network]) == 0
    with pytest.raises(UserError, match="Latency on the device counted cannot be measured here"):
        check_budget(Budget(latency=5), table)
    check_budget(Budget(macs=5), table)


def test_quantities():
    assert [parse_bytes(t, "--x") for t in ("200KB", "1 KiB", "300000", ".5mb", None)] == [
        200_000, 1024, 300_000, 500_000, None,
    ]  # fmt: skip
    assert [parse_milliseconds(t, "--x") for t in ("5ms", "800us", "0.1s", "7")] == [5, 0.8, 100, 7]
    for text in ("", "KB", "-5KB", "0", "5XB", "1e3", "5 ms 3"):
        with pytest.raises(UserError, match="--x is"):
            parse_bytes(text, "--x")
