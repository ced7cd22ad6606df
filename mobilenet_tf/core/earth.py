"""Distances on the earth, which is a sphere here: the error is at most 0.6 %."""

import numpy as np

RADIUS_KM = 6371.0088  # mean radius of WGS 84 (IUGG)


def great_circle_km(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the length of the shortest way over the surface in km, float64 (...).

    This form is exact for neighbouring and for opposite points too.

    Args:
        start: (..., 2) latitude and longitude in degrees.
        end: The same, of a shape that broadcasts with it.
    """
    (lat1, lon1), (lat2, lon2) = (
        np.moveaxis(np.radians(np.asarray(points, np.float64)), -1, 0) for points in (start, end)
    )
    turn = lon2 - lon1
    across = np.cos(lat2) * np.sin(turn)
    along = np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(turn)
    cosine = np.sin(lat1) * np.sin(lat2) + np.cos(lat1) * np.cos(lat2) * np.cos(turn)
    return RADIUS_KM * np.arctan2(np.hypot(across, along), cosine)
