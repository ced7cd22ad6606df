"""Write decoding.json: integer logits and the masks in them, for decoders in any language.

    python -m tests.tasks.segmentation.write_decoding

Each case has the sides of the grid and of the mask, int8 logits (row by row, pixel by pixel) and
the mask that `predicted` finds. A decoder must find the same class for every pixel.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.tasks.segmentation.masks import predicted

FILE = Path(__file__).with_name("decoding.json")


def cases() -> list[dict[str, Any]]:
    """Return all cases: usual ones, other factors, no enlargement, ties."""
    random = np.random.default_rng(0)
    made = []
    for name, grid, factors, classes, levels in (
        ("usual", (6, 5), (4, 4), 4, 128),
        ("two factors", (3, 4), (8, 2), 3, 128),
        ("odd factor", (2, 3), (3, 5), 5, 128),
        ("not enlarged", (4, 4), (1, 1), 3, 128),
        ("single pixel", (1, 1), (4, 4), 3, 128),
        ("many ties", (5, 6), (4, 4), 3, 2),
        ("all equal", (2, 2), (4, 4), 3, 1),
    ):
        logits = random.integers(-levels, levels, (*grid, classes)) if levels > 1 else None
        values = np.zeros((*grid, classes), np.int8) if logits is None else logits.astype(np.int8)
        sides = (grid[0] * factors[0], grid[1] * factors[1])
        made.append(
            {
                "name": name,
                "grid": grid,
                "sides": sides,
                "classes": classes,
                "logits": values.ravel().tolist(),
                "mask": predicted(values[None], sides)[0].ravel().tolist(),
            }
        )
    return made


def content() -> dict[str, Any]:
    """Return what the file contains."""
    return {"cases": cases()}


if __name__ == "__main__":
    write_text(FILE, json_text(content()) + "\n")
