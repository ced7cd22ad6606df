"""The earth in cells of the library H3, smaller where there are more pictures.

A cell is named by its H3 index, such as `841f91dffffffff`, and everything else follows from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import numpy as np

from mobilenet_tf.core.earth import great_circle_km
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.packages import require

FINEST = 15  # H3's smallest cells


class Place(NamedTuple):
    """A cell as a circle.

    Attributes:
        latitude, longitude: Its centre in degrees.
        radius_km: Distance from the centre to the farthest corner.
    """

    latitude: float
    longitude: float
    radius_km: float


def adaptive_cells(
    positions: np.ndarray, most: int, least: int, finest: int
) -> dict[str, list[int]]:
    """Divide the earth as PlaNet does (1602.05314, 2).

    A cell with more than `most` positions is divided, unless it is one of the finest; one with
    fewer than `least` is left out. Cells of different sizes never overlap, because the cell of a
    position is always the parent of its finest cell.

    Args:
        positions: (N, 2) latitude and longitude in degrees.
        most: Number of positions above which a cell is divided.
        least: Number of positions below which it is left out.
        finest: H3 resolution of the smallest cells, 0 to 15.

    Returns:
        Cell -> indices of its positions, sorted by cell.
    """
    h3 = _library()
    leaves = [h3.latlng_to_cell(*position, finest) for position in positions.tolist()]
    found: dict[str, list[int]] = {}
    waiting: list[tuple[int, Iterable[int]]] = [(0, range(len(leaves)))]
    while waiting:
        resolution, members = waiting.pop()
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for member in members:
            groups[h3.cell_to_parent(leaves[member], resolution)].append(member)
        for cell, inside in groups.items():
            if len(inside) > most and resolution < finest:
                waiting.append((resolution + 1, inside))
            elif len(inside) >= least:
                found[cell] = inside
    return dict(sorted(found.items()))


def nearest_cells(positions: np.ndarray, cells: Sequence[str], finest: int) -> np.ndarray:
    """Return the index of the cell of each position, or of the nearest centre where there is none.

    Args:
        positions: (N, 2) latitude and longitude in degrees.
        cells: Cells as from `adaptive_cells`.
        finest: As for `adaptive_cells`.
    """
    h3 = _library()
    known = {cell: index for index, cell in enumerate(cells)}
    places = np.array([place_of(cell)[:2] for cell in cells])
    found = []
    for position in positions.tolist():
        leaf = h3.latlng_to_cell(*position, finest)
        parents = (h3.cell_to_parent(leaf, level) for level in range(finest + 1))
        index = next((known[cell] for cell in parents if cell in known), None)
        if index is None:
            index = int(great_circle_km(np.array(position), places).argmin())
        found.append(index)
    return np.array(found, np.int64)


@lru_cache(maxsize=2**16)
def place_of(cell: str) -> Place:
    """Return the centre and the radius of a cell.

    Raises:
        UserError: It is no H3 index of a cell, or the library is not installed.
    """
    h3 = _library()
    try:
        valid = h3.is_valid_cell(cell)
    except (ValueError, OverflowError):
        valid = False
    if not valid:
        raise UserError(f"The label {cell[:80]!r} is no cell of H3, such as 841f91dffffffff.")
    centre = h3.cell_to_latlng(cell)
    corners = great_circle_km(np.array(centre), np.array(h3.cell_to_boundary(cell)))
    return Place(centre[0], centre[1], float(corners.max()))


def _library() -> ModuleType:
    require("Geolocation", "h3")
    import h3

    module: ModuleType = h3
    return module
