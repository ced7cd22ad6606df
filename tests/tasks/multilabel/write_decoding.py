"""Write decoding.json: logits and the labels in them, for decoders in any language.

    python -m tests.tasks.multilabel.write_decoding

Each case has float32 logits, the labels' thresholds, the probabilities, and the indices of the
labels that are predicted, the likeliest first. A decoder must find the same labels, with
probabilities within 1e-5. Cases with `integers` are those of a file, whose real values the logits
are.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.tasks.multilabel.scores import logit, sigmoid
from mobilenet_tf.tasks.multilabel.task import MultiLabel
from tests.tasks.quantized import Integers

FILE = Path(__file__).with_name("decoding.json")


def cases() -> list[dict[str, Any]]:
    """Return all cases: usual ones, ties, logits at their thresholds, extreme ones, no label."""
    random = np.random.default_rng(0)
    drawn = random.normal(0, 3, 9).round(3)
    thresholds = random.uniform(0.05, 0.95, 9).round(6)
    integers = [
        _case(one.name, one.real, tuple(levels.tolist())) | one.fields()
        for one, levels in _quantized(random)
    ]
    return integers + [
        _case(name, np.float32(logits), tuple(np.asarray(levels, float).tolist()))
        for name, logits, levels in (
            ("usual", drawn, thresholds),
            ("neutral thresholds", drawn, np.full(9, 0.5)),
            ("equal", [1.5, 1.5, 0.5, 1.5], [0.5, 0.9, 0.5, 0.5]),
            ("at the threshold", [0.0, -1e-6, 1e-6], [0.5, 0.5, 0.5]),
            ("beside the threshold", np.add(logit([0.3, 0.3]), [0.001, -0.001]), [0.3, 0.3]),
            ("extreme", [1000, -1000, 80], [0.999999, 0.000001, 0.5]),
            ("none", [-5, -6, -7], [0.5, 0.5, 0.5]),
        )
    ]


def _quantized(random: np.random.Generator) -> list[tuple[Integers, np.ndarray]]:
    """Return integers, and the thresholds of their labels."""
    drawn = random.integers(-128, 128, 9)
    steps = sigmoid(np.array([-0.25, 0.0, 0.125, 0.1875, 0.0625]))  # on integers, and between them
    return [
        (Integers("integers", drawn, 0.047, 11), random.uniform(0.05, 0.95, 9).round(6)),
        (Integers("integers at and beside thresholds", [-2, 0, 1, 1, 1], 0.125, 0), steps),
        (Integers("extreme integers", [-128, 127] * 2, 0.7, -128), np.array([1, 1, 4, 4]) / 5),
        (Integers("the smallest integers", [-128] * 3, 0.1, 127), np.full(3, 1e-6)),
        (Integers("the largest integers", [127] * 3, 0.2, -128), np.full(3, 1 - 1e-6)),
        (Integers("no integer is large enough", [127, -128], 0.01, 0), np.full(2, 0.9)),
    ]


def _case(name: str, logits: np.ndarray, thresholds: tuple[float, ...]) -> dict[str, Any]:
    task = MultiLabel(thresholds=thresholds)
    labels = [str(index) for index in range(len(logits))]
    (found,) = task.answers(logits[None], labels, len(labels), name, ())["predictions"]
    return {
        "name": name,
        "logits": logits.tolist(),
        "thresholds": thresholds,
        "probabilities": sigmoid(logits).tolist(),
        "predicted": [int(one["label"]) for one in found["classes"]],
    }


def content() -> dict[str, Any]:
    """Return what the file contains."""
    return {"cases": cases()}


if __name__ == "__main__":
    write_text(FILE, json_text(content()) + "\n")
