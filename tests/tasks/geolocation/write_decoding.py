"""Write decoding.json: probabilities and the places in them, for decoders in any language.

    python -m tests.tasks.geolocation.write_decoding

Each case has the cells of `Geolocation.constants`, a probability for each, and the cells with their
texts as `predict` shows them, the likeliest first. A decoder must write the same texts. Cases with
`integers` are those of a file, whose real values the probabilities are.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.geolocation.task import Geolocation
from tests.tasks.quantized import Integers

FILE = Path(__file__).with_name("decoding.json")
# Cells of several sizes on all quarters of the earth.
CELLS = (
    *("841f8d7ffffffff", "871fb4662ffffff", "80f3fffffffffff", "8428309ffffffff"),
    *("82be67fffffffff", "84a8101ffffffff"),
)


def cases() -> list[dict[str, Any]]:
    """Return all cases: usual probabilities, and equal ones."""
    drawn = np.random.default_rng(0).dirichlet(np.ones(len(CELLS)))
    quantized = (
        Integers("integers", [-100, -120, -3, -128, -128, -90], 1 / 256, -128),
        Integers("equal integers", [-85, -86, -85, -85, -86, -85], 1 / 256, -128),
        Integers("extreme integers", [-128, 127, -128, -128, -128, -128], 1 / 256, -128),
    )
    return [
        _case("usual", drawn),
        _case("equal", np.full(len(CELLS), 1 / len(CELLS))),
        *(_case(one.name, one.real) | one.fields() for one in quantized),
    ]


def _case(name: str, probabilities: np.ndarray) -> dict[str, Any]:
    scores = np.float32(probabilities)
    task = Geolocation()
    (found,) = task.answers(scores[None], CELLS, len(CELLS), name, ())["predictions"]
    cells = task.constants(make_network("v1", 0.25, 32), CELLS)["cells"]
    return {
        "name": name,
        "cells": cells,
        "scores": scores.tolist(),
        "found": [
            {"cell": CELLS.index(one["cell"]), "score": one["score"], "label": one["label"]}
            for one in found["classes"]
        ],
    }


def content() -> dict[str, Any]:
    """Return what the file contains."""
    return {"cases": cases()}


if __name__ == "__main__":
    write_text(FILE, json_text(content()) + "\n")
