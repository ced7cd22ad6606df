"""benchmarks/compression_page: tables of what was measured so far."""

import numpy as np
import pytest

from benchmarks.compression_page import (
    PLAIN,
    curve,
    curve_rows,
    deep_compression,
    packed,
    two_classes,
)

IMAGES = 21  # no multiple of eight


def run(alpha: float, weights: str, seed: int, right: int) -> dict:
    codecs = ("plain", "prune", "lut", "huffman", "hash", "pq")
    return {
        "network": "v1", "alpha": alpha, "weights": weights, "seed": seed, "device": "mcu",
        "bytes": 900, "mcu_flash": 1000, "c_flash": 2000, "arena": 50, "activations": 40,
        "bits": dict.fromkeys(codecs, 4.0),
        "images": IMAGES, "correct": packed(np.arange(IMAGES) < right),
    }  # fmt: skip


@pytest.fixture
def measured():
    runs = [
        run(alpha, weights, seed, right)
        for seed in range(2)
        for alpha, weights, right in (
            (0.25, PLAIN, 21), (0.25, "75% zeros", 14 + seed), (0.1, PLAIN, 7),
        )
    ]  # fmt: skip
    about = {"size": 96, "epochs": 60, "recipe": "r", "epochs_to_int8": 26, "data": "d"}
    return about | {"groups": [], "runs": runs, "machine": {"cores": 2, "cpu": "one"}}


def test_rows_are_means_over_seeds_and_pictures(measured):
    plain, zeros, smaller = curve_rows(measured)
    assert plain["accuracy"]["mean"] == 1
    assert zeros["accuracy"]["mean"] == pytest.approx(14.5 / IMAGES)
    assert zeros["difference"]["mean"] == pytest.approx(-6.5 / IMAGES)
    assert zeros["control"] == 0.1
    assert zeros["to_control"]["mean"] == pytest.approx(7.5 / IMAGES)
    assert smaller["control"] is plain["control"] is None
    assert "| and clustered |" not in deep_compression(measured)
    assert "| pruned | 4.00 | 8.0 | 69.0% |" in " ".join(deep_compression(measured).split())


def test_what_is_better_than_a_smaller_network(measured):
    said = "Beside a smaller alpha with no more flash, `v1` is better: 75% zeros."
    assert said in " ".join(curve(measured).split())
    for one in measured["runs"]:
        one["correct"] = packed(np.arange(IMAGES) < 10)
    assert "`v1` is not to be told apart: 75% zeros." in " ".join(curve(measured).split())


def test_the_goal_of_two_classes(measured):
    assert "below plain int8: not reached." in " ".join(two_classes(measured).split())
    for one in measured["runs"]:
        one["correct"] = packed(np.arange(IMAGES) < 10)
    said = "below plain int8: reached with 75% zeros."
    assert said in " ".join(two_classes(measured).split())
    measured["runs"][1]["bytes"] = measured["runs"][4]["bytes"] = 130_001
    assert said not in " ".join(two_classes(measured).split())


@pytest.mark.parametrize("left", [1, 2])
def test_a_seed_that_is_not_finished_waits(measured, left):
    whole = measured["runs"][:3]
    measured["runs"] = [*whole, *measured["runs"][3 : 3 + left]]
    assert curve_rows(measured) == curve_rows(measured | {"runs": whole})
    assert all(row["seeds"] == 1 for row in curve_rows(measured))
    assert "| v1 0.25 | plain | 1 | mcu |" in curve(measured)
