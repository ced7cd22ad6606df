"""Cells, distances, metrics and answers of places."""

import h3
import numpy as np
import pytest

from mobilenet_tf.core.earth import great_circle_km
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.task_sections import Chart, Table
from mobilenet_tf.tasks.geolocation.cells import adaptive_cells, nearest_cells, place_of
from mobilenet_tf.tasks.geolocation.task import Geolocation
from mobilenet_tf.tasks.registry import task_from_dict

TASK = Geolocation()


@pytest.fixture(scope="module")
def positions():
    """600 places in a town, 300 over a country, and 30 over the whole earth."""
    random = np.random.default_rng(2)
    town = random.normal((48.1, 11.6), 0.05, (600, 2))
    country = random.normal((50.0, 10.0), 2.0, (300, 2))
    earth = random.uniform((-90, -180), (90, 180), (30, 2))
    return np.concatenate([town, country, earth])


def test_cells_divide_where_the_pictures_are(positions):
    cells = adaptive_cells(positions, most=50, least=5, finest=7)
    members = [row for inside in cells.values() for row in inside]
    assert len(members) == len(set(members))  # no place is in two cells
    assert all(5 <= len(inside) <= 50 for inside in cells.values())
    sizes = {h3.get_resolution(cell) for cell in cells}
    assert max(sizes) >= 5 > 3 >= min(sizes)
    for cell, inside in cells.items():
        for row in inside:
            leaf = h3.latlng_to_cell(*positions[row], 7)
            assert h3.cell_to_parent(leaf, h3.get_resolution(cell)) == cell
    assert list(cells) == sorted(cells)
    order = np.random.default_rng(0).permutation(len(positions))
    assert set(adaptive_cells(positions[order], 50, 5, 7)) == set(cells)


def test_the_finest_cells_are_not_divided(positions):
    cells = adaptive_cells(positions, most=5, least=1, finest=3)
    assert max(map(h3.get_resolution, cells)) == 3
    assert max(map(len, cells.values())) > 5
    assert sum(map(len, cells.values())) == len(positions)  # none is left out


def test_a_place_outside_all_cells_belongs_to_the_nearest(positions):
    cells = adaptive_cells(positions, most=50, least=5, finest=7)
    names = list(cells)
    found = nearest_cells(positions, names, finest=7)
    for index, inside in enumerate(cells.values()):
        assert (found[inside] == index).all()
    (lost,) = nearest_cells(np.array([[-80.0, 100.0]]), names, finest=7)
    centres = np.array([place_of(cell)[:2] for cell in names])
    assert lost == great_circle_km(np.array([-80.0, 100.0]), centres).argmin()


def test_a_place_is_the_circle_around_a_cell():
    cell = h3.latlng_to_cell(48.1, 11.6, 4)
    place = place_of(cell)
    corners = np.array(h3.cell_to_boundary(cell))
    distances = great_circle_km(np.array(place[:2]), corners)
    assert place.radius_km == distances.max()
    assert 20 < place.radius_km < 35


@pytest.mark.parametrize("label", ["cat", "", "8" + "f" * 40, "841f91d00000000", "Ä", "0x1"])
def test_labels_that_are_no_cells_are_refused(label):
    with pytest.raises(UserError, match="is no cell of H3"):
        TASK.answers(np.array([[0.5, 0.5]]), [label, "841f91dffffffff"], 1, "a.tflite", [])


def cells_at(*places):
    return [h3.latlng_to_cell(*place, 5) for place in places]


def test_metrics_are_shares_within_radii():
    classes = cells_at((48, 11), (0, 0))
    centre = np.array(place_of(classes[0])[:2])
    # To the north of the centre by so many km.
    north = np.array([0.0, 0.9, 24, 190, 740, 2400, 2600, 9000])
    labels = np.zeros((8, 3))
    labels[:, 0], labels[:, 1] = centre[0] + np.degrees(north / 6371.0088), centre[1]
    over = labels[:, 0] > 90  # beyond the pole
    labels[over, 0], labels[over, 1] = 180 - labels[over, 0], centre[1] - 180
    outputs = np.tile([0.9, 0.1], (8, 1))
    found = TASK.metrics(outputs, labels, classes)
    assert found["images"] == 8
    assert [found[f"within_{km}"] for km in (1, 25, 200, 750, 2500)] == [
        *(2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8),
    ]
    (table,), (chart,) = found["tables"], found["charts"]
    assert dict(table["rows"])[0.5] == pytest.approx((190 + 740) / 2, abs=1e-3)
    assert from_plain(Table, table, "table", strict=True).title == "Distances"
    assert from_plain(Chart, chart, "chart", strict=True).lines["all"][-1] == (9000, 1)
    worst = TASK.worst(
        Split(np.zeros((8, 1, 1, 3), np.uint8), labels, list("abcdefgh")), classes, outputs
    )
    assert [row["file"] for row in worst.rows[:3]] == ["h", "g", "f"]
    assert "placed 9,000 km away, at " in worst.rows[0]["note"]
    with pytest.raises(UserError, match="scores that are not numbers"):
        TASK.metrics(outputs * np.nan, labels, classes)


def test_answers_are_places_and_radii():
    classes = cells_at((48, 11), (-33, -70))
    (first,) = TASK.answers(np.array([[0.25, 0.75]]), classes, 1, "a.tflite", [])["predictions"]
    (answer,) = first["classes"]
    assert answer["cell"] == classes[1]
    assert answer["score"] == 0.75
    assert (answer["latitude"], answer["longitude"]) == pytest.approx((-33, -70), abs=0.15)
    assert answer["label"].startswith(f"{-answer['latitude']:.2f} S {-answer['longitude']:.2f} W")
    assert answer["radius_km"] == pytest.approx(place_of(classes[1]).radius_km, abs=1e-3)
    constants = TASK.constants(make_network("v1", 0.25, 32, 2), classes)
    assert constants["cells"][1] == pytest.approx(place_of(classes[1]), abs=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"least": 0}, "task.least is 0; it must be at least 1"),
        ({"finest": 16}, "task.finest is 16; it must be from 0 to 15"),
        ({"most": 5, "least": 6}, "task: least is 6; it must not exceed most, 5"),
        ({"most": 10**9}, "most is 1000000000; it must be at most 65,536"),
        ({"most": "many"}, "most is 'many'; it must be a whole number"),
    ],
)
def test_settings_are_checked(values, message):
    with pytest.raises(UserError, match=message):
        task_from_dict({"name": "geolocation"} | values, "config.toml")


@pytest.fixture(scope="module")
def digits():
    return TASK.load("digits", InputSpec(16), 0, None, True)


def test_the_made_up_survey(digits):
    assert len(digits.classes) > 20
    assert (
        len(digits.train) + len(digits.validation) + len(digits.test) + len(digits.skipped) == 1797
    )
    for split in (digits.train, digits.validation, digits.test):
        assert split.labels.shape == (len(split), 3)
        assert (np.abs(split.labels[:, 0]) < 90).all()
        # Red grows to the north: within one home, the ground tells the place.
        near = great_circle_km(split.labels[:, :2], np.array([64.0, -150.0])) < 1300
        red = split.images[near][:, 0, 0, 0].astype(float)
        assert np.corrcoef(red, split.labels[near, 0])[0, 1] > 0.98
    reasons = {entry["reason"] for entry in digits.skipped}
    assert reasons <= {"its cell has fewer than 10 training pictures"}


def test_test_images_of_the_survey(digits):
    found = TASK.load_test("digits", digits.classes, InputSpec(16), 0, None)
    assert found.images.names == digits.test.names
    with pytest.raises(UserError, match="The cells of digits are not those of the model"):
        TASK.load_test("digits", digits.classes[1:], InputSpec(16), 0, None)
    with pytest.raises(UserError, match="digits has 0 cells with at least 5000 training pictures"):
        Geolocation(most=5000, least=5000).load("digits", InputSpec(16), 0, None, True)
