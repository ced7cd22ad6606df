"""The program that compares dry runs with runs."""

import pytest

from benchmarks import dry_run
from mobilenet_tf import load_recipe, make_network
from mobilenet_tf.runs.settings import RunSettings


@pytest.mark.slow
def test_a_small_run_is_estimated_and_taken():
    recipe = load_recipe("small_data").with_fields({"train.epochs": 2, "qat.epochs": 1})
    network = make_network("v1", 0.25, 32, channels=1)
    row = dry_run.measure("digits", RunSettings(data="digits", network=network, recipe=recipe))
    said, found = row["estimated"], row["taken"]
    assert set(found) == set(dry_run.MEASURES)
    # Everything but 58 of 98 steps is done in both; the machine may be busy with one of them.
    assert found["seconds"] / 3 < said["seconds"] < 3 * found["seconds"]
    assert said["memory_bytes"] == pytest.approx(found["memory_bytes"], rel=0.3)
    assert said["disk_bytes"] == pytest.approx(found["disk_bytes"], rel=0.2)
    assert "| digits | `v1 0.25, 32x32x1` | 2 + 1 |" in dry_run.render([row])


def test_the_table_has_estimates_beside_what_was_taken():
    said = {"seconds": 100.4, "memory_bytes": 1.5e9, "disk_bytes": 4.06e6, "dry_seconds": 30}
    taken = {"seconds": 90, "memory_bytes": 1.6e9, "disk_bytes": 4.2e6}
    row = {"name": "digits", "data": "digits", "network": "v1 0.25 32", "epochs": [30, 3]}
    text = dry_run.render([row | {"estimated": said, "taken": taken, "cpu": "X", "cores": 2}])
    cells = "30 | 100 | 90 | 1,500 | 1,600 | 4.1 | 4.2"
    assert f"| digits | `v1 0.25 32` | 30 + 3 | {cells} |" in text
    assert text.endswith("2 cores, X.")


def test_settings_are_those_of_the_cases(tmp_path):
    settings = dry_run.settings_of("clothing v2", tmp_path / "clothing")
    assert settings.data == str(tmp_path / "clothing")
    assert (settings.network.title, settings.recipe.train.epochs) == ("v2 0.35, 96x96x3", 6)
