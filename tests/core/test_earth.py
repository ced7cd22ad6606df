import numpy as np
import pytest

from mobilenet_tf.core.earth import RADIUS_KM, great_circle_km

QUARTER = np.pi / 2 * RADIUS_KM


@pytest.mark.parametrize(
    ("start", "end", "km"),
    [
        ((0, 0), (0, 0), 0),
        ((0, 0), (0, 1), np.pi / 180 * RADIUS_KM),
        ((90, 17), (90, -120), 0),  # the pole, whatever its longitude
        ((90, 0), (-90, 0), 2 * QUARTER),
        ((0, -170), (0, 170), np.pi / 9 * RADIUS_KM),  # across the date line
        ((10, 30), (-10, -150), 2 * QUARTER),  # opposite
        ((0, 0), (45, 90), QUARTER),
        ((60, 0), (60, 180), QUARTER * 2 / 3),  # over the pole
        # London to Paris and to New York, as tables of great circles have them.
        ((51.5074, -0.1278), (48.8566, 2.3522), 343.56),
        ((51.5074, -0.1278), (40.7128, -74.0060), 5570.2),
    ],
)
def test_distances(start, end, km):
    found = great_circle_km(np.array(start), np.array(end))
    assert found == pytest.approx(km, rel=1e-4, abs=1e-9)
    assert great_circle_km(np.array(end), np.array(start)) == pytest.approx(found, abs=1e-9)


def test_a_metre_is_not_lost():
    metre = np.degrees(1e-3 / RADIUS_KM)
    for latitude in (0.0, 48.0, 89.0):
        found = great_circle_km(np.array([latitude, 11]), np.array([latitude + metre, 11]))
        assert found == pytest.approx(1e-3, rel=1e-5)


def test_shapes_broadcast():
    start, ends = np.zeros(2), np.array([[[0, 90], [90, 0]], [[0, -90], [-90, 0]]])
    np.testing.assert_allclose(great_circle_km(start, ends), np.full((2, 2), QUARTER))
