"""Expected accuracy: sources, what is published, and how far guesses are from what was left out."""

from math import sqrt

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.accuracy import (
    common_recipe,
    expected_top1,
    has_accuracy,
    leave_out,
    published,
    recipe_error,
    recipes,
    typical_error,
)
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.candidates import candidates

# PaddleClas's grid at 224.
GRID = {
    "v1": {1.0: 71.0},
    "v2": {0.25: 53.2, 0.5: 65.0, 1.0: 72.2, 1.5: 74.1, 2.0: 75.2},
    "v3_large": {0.35: 64.3, 0.5: 69.2, 0.75: 73.1, 1.0: 75.3, 1.25: 76.4},
    "v3_small": {0.35: 53.0, 0.5: 59.2, 0.75: 66.0, 1.0: 68.2, 1.25: 70.7},
}


def test_every_row_has_a_source_and_a_known_recipe():
    rows = published()
    assert all(row.source and row.recipe in recipes() for row in rows)
    assert {row.recipe for row in rows} == set(recipes())
    keys = [(row.recipe, row.name, row.alpha, row.size) for row in rows]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", GRID)
def test_the_grid_of_one_recipe(name):
    for alpha, top1 in GRID[name].items():
        found = expected_top1(name, alpha, 224, "paddle")
        assert (found.top1, found.basis, found.error) == (pytest.approx(top1), "published", 0)
        assert found.recipe == "paddle"


def test_narrow_networks_are_not_flattered():
    """The values of another recipe that were not used for the guess."""
    for name, alpha, top1 in (("v3_small", 0.35, 53.0), ("v3_small", 0.5, 59.2)):
        assert expected_top1(name, alpha, 224).top1 == pytest.approx(top1)
        slim = expected_top1(name, alpha, 224, "slim")
        assert slim.basis == "extrapolated"
        assert abs(slim.top1 - top1) < 3
    assert expected_top1("v2", 0.25, 224).top1 == pytest.approx(53.2)


def test_v4_at_the_sizes_at_which_it_was_evaluated():
    """PaddleX lists Conv-S and Conv-L as at 224; its configurations evaluate at 256 and 448."""
    for name, size, top1 in (
        ("v4_conv_s", 256, 74.6),
        ("v4_conv_m", 256, 79.9),
        ("v4_conv_l", 448, 83.4),
    ):
        found = expected_top1(name, 1.0, size)
        assert (found.top1, found.recipe) == (pytest.approx(top1), "timm_v4")
    assert expected_top1("v4_conv_s", 1.0, 224, "v4_paper").top1 == pytest.approx(73.8)


@pytest.mark.parametrize(
    "name",
    [
        *("v4_conv_s", "v4_conv_m", "v4_conv_l", "mnasnet_a1"),
        *("squeezenet_1_0", "squeezenet_1_1", "xception"),
    ],
)
def test_networks_beyond_the_three_papers(name):
    assert has_accuracy(name)
    values = [expected_top1(name, 1.0, size).top1 for size in (64, 96, 128, 192, 224)]
    assert values == sorted(values)
    assert 20 < values[0] < values[-1] < 83


def test_left_out_values_are_guessed_within_the_stated_error():
    """Two thirds of normal errors are within their standard deviation, 95 % within two."""
    cases = [case for case in leave_out() if case.guess.basis != "published"]
    within = [abs(case.error) / typical_error(case.guess) for case in cases]
    assert sum(share <= 1 for share in within) > 0.6 * len(cases)
    assert sum(share <= 2 for share in within) > 0.9 * len(cases)
    assert sqrt(sum(case.error**2 for case in cases) / len(cases)) < 0.9


def test_errors_grow_with_the_distance():
    errors = [expected_top1("v1", 0.25, size, "slim").error for size in (128, 96, 64, 32)]
    assert errors[0] == 0
    assert errors == sorted(errors)
    between = expected_top1("v1", 0.6, 176, "slim")
    assert between.basis == "interpolated"
    assert 59.1 < between.top1 < 67.2
    assert 0 < between.error < 1.5


def test_the_recipe_that_covers_most_is_used_for_all():
    assert common_recipe(candidates(10)) == "paddle"
    minimalistic = [make_network("v3_small_minimalistic")]
    assert common_recipe(minimalistic) == "slim"
    assert expected_top1("v3_small_minimalistic", 1.0, 224, "paddle").recipe == "slim"
    assert expected_top1("v1", 1.0, 224, "v4_paper").top1 == pytest.approx(74.0)


def test_another_recipe_than_asked_for_has_a_larger_error():
    """V1 gained three points by the V4 paper's recipe, and V3 nothing."""
    assert 0.5 < recipe_error() < 3
    own = expected_top1("v4_conv_s", 0.5, 224)
    asked = expected_top1("v4_conv_s", 0.5, 224, "paddle")
    assert (own.top1, own.error, own.recipe) == (asked.top1, 0, asked.recipe)
    assert asked.error == pytest.approx(recipe_error())
    between = expected_top1("v4_conv_s", 0.5, 160, "paddle").error
    assert between > expected_top1("v4_conv_s", 0.5, 160).error


def test_a_network_without_published_accuracy():
    assert not has_accuracy("v9")
    with pytest.raises(UserError, match="No ImageNet accuracy is known of 'v9', only of v1, v2"):
        expected_top1("v9", 1, 224)
