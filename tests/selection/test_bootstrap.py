"""Intervals by the paired bootstrap: right in size, narrow where networks fail alike."""

from math import sqrt

import numpy as np
import pytest

from mobilenet_tf.selection.bootstrap import Bootstrap
from mobilenet_tf.selection.front import undominated


def outcome(correct):
    return {f"{index}.jpg": bool(found) for index, found in enumerate(correct)}


def test_one_seed_has_the_interval_of_a_share():
    """1.96 standard errors of 800 right of 1,000, as the normal approximation has it."""
    found = Bootstrap({"a": [outcome(np.arange(1000) < 800)]}).accuracy("a")
    error = 1.96 * sqrt(0.8 * 0.2 / 1000)
    assert found.mean == pytest.approx(0.8)
    assert found.low == pytest.approx(0.8 - error, abs=0.004)
    assert found.high == pytest.approx(0.8 + error, abs=0.004)


def test_networks_that_fail_alike_are_told_apart():
    """Paired, ten pictures of difference are beyond doubt; unpaired, they would not be."""
    random = np.random.default_rng(0)
    first = random.random(1000) < 0.7
    second = first.copy()
    second[np.flatnonzero(first)[:10]] = False
    bootstrap = Bootstrap({"a": [outcome(first)], "b": [outcome(second)]})
    found = bootstrap.difference("b", "a")
    assert found.mean == pytest.approx(-0.01)
    assert found.high < 0
    spread = bootstrap.accuracy("a")
    assert spread.high - spread.low > 3 * (found.high - found.low)


def test_seeds_widen_the_interval():
    same = [outcome(np.arange(500) < 400)] * 3
    other = [outcome(np.arange(500) < count) for count in (350, 400, 450)]
    narrow, wide = (Bootstrap({"a": runs}).accuracy("a") for runs in (same, other))
    assert narrow.mean == pytest.approx(wide.mean)
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_other_test_pictures_with_every_seed():
    runs = [{"a": True, "b": True}, {"b": False, "c": False}]
    bootstrap = Bootstrap({"one": runs, "two": runs})
    assert bootstrap.accuracy("one").mean == 0.5
    assert bootstrap.difference("one", "two").to_dict() == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_the_mean_over_several_pairs():
    right, wrong = [outcome([True] * 20)], [outcome([False] * 20)]
    bootstrap = Bootstrap({"a": right, "b": wrong, "c": right})
    found = bootstrap.mean_difference([("b", "a"), ("c", "a")])
    assert (found.mean, found.low, found.high) == (-0.5, -0.5, -0.5)


def test_the_front():
    assert undominated([(1, 5), (2, 4), (2, 5), (1, 5)], lambda pair: pair) == [
        (1, 5),
        (2, 4),
        (1, 5),
    ]
