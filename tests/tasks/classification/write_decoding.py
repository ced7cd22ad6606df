"""Write decoding.json: probabilities and what is made of them, for decoders in any language.

    python -m tests.tasks.classification.write_decoding

Each case has the float32 scores of a file, its temperature and threshold, the scores at that
temperature, the classes from the likeliest on, and whether the first is accepted. A decoder must
find the same classes and acceptance, with scores within 1e-5. Cases with `integers` are those of a
file, whose real values the scores are.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.tasks.classification.task import Classification
from tests.tasks.quantized import Integers

FILE = Path(__file__).with_name("decoding.json")


def cases() -> list[dict[str, Any]]:
    """Return all cases: usual ones, colder and hotter, ties, zeros, no threshold, logits."""
    drawn = np.random.default_rng(0).dirichlet(np.ones(6)).astype(np.float32)
    quantized = (
        (Integers("integers", [-100, -120, -3, -128, -128, -90], 1 / 256, -128), 0.5, 0.6),
        (Integers("hot integers", [-100, -120, -3, -128, -128, -90], 1 / 256, -128), 2.5, 0.4),
        (Integers("integers without a threshold", [-9, -120, -128, 9], 1 / 256, -128), 0.7, 0.0),
        (Integers("equal integers", [-85, -86, -85, -85, -86, -85], 1 / 256, -128), 0.25, 0.3),
        (Integers("extreme integers", [-128, 127, -128, -128], 1 / 256, -128), 4.0, 0.9),
        (Integers("zeros", [-128, -128, -128], 1 / 256, -128), 2.0, 0.1),
        (Integers("logits", [-128, 127, 3, 3], 0.1, 20), 1.0, 0.0),
        (Integers("integers of an old file", [-100, -120, 92], 1 / 256, -128), 1.0, 0.0),
    )
    return [
        _case("usual", drawn, 1.0, 0.0),
        _case("cold", drawn, 0.25, 0.95),
        _case("hot", drawn, 3.0, 0.5),
        _case("below the threshold", drawn, 1.0, 0.9),
        *(_case(one.name, one.real, *rules) | one.fields() for one, *rules in quantized),
    ]


def _case(name: str, scores: np.ndarray, temperature: float, threshold: float) -> dict[str, Any]:
    task = Classification(temperature=temperature, threshold=threshold)
    labels = [str(index) for index in range(len(scores))]
    (found,) = task.answers(scores[None], labels, len(labels), name, ())["predictions"]
    return {
        "name": name,
        "scores": scores.tolist(),
        "temperature": temperature,
        "threshold": threshold,
        "tempered": task.scores(scores[None])[0].tolist(),
        "classes": [int(one["label"]) for one in found["classes"]],
        "accepted": found["accepted"],
    }


def content() -> dict[str, Any]:
    """Return what the file contains."""
    return {"cases": cases()}


if __name__ == "__main__":
    write_text(FILE, json_text(content()) + "\n")
