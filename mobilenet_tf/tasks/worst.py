"""The worst results of a network, as reports show them."""

from typing import Any, NamedTuple

import numpy as np

MISTAKES = 12  # that a report shows


class Mistakes(NamedTuple):
    """What a network got most wrong.

    Attributes:
        rows: Rows of the section of `result.json`.
        pictures: Path relative to the run folder, as in `rows` -> uint8 (h, w, c).
        section: Name of the section.
        folder: Folder of the pictures in the run folder.
    """

    rows: list[dict[str, Any]]
    pictures: dict[str, np.ndarray]
    section: str = "pictures"
    folder: str = "worst"

    def add(self, file: str, pixels: np.ndarray, **facts: Any) -> None:
        """Add the next result.

        Args:
            file: File name within the dataset.
            pixels: What is shown, uint8 (h, w, c).
            facts: The other entries of the row.
        """
        picture = f"{self.folder}/{len(self.rows) + 1:02d}.png"
        self.pictures[picture] = np.asarray(pixels)
        self.rows.append({"file": file, "picture": picture, **facts})


def worst_first(badness: np.ndarray, wrong: np.ndarray) -> list[int]:
    """Return the indices of up to `MISTAKES` wrong results, the worst first.

    Args:
        badness: (N,); where it is the same, the order is that of the results.
        wrong: bool (N,).
    """
    rows = np.flatnonzero(wrong)
    order = np.argsort(-badness[rows], kind="stable")[:MISTAKES]
    return [int(row) for row in rows[order]]
