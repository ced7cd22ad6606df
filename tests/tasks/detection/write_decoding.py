"""Write decoding.json: raw outputs and the boxes in them, for decoders in any language.

    python -m tests.tasks.detection.write_decoding

Each case has the sides of the feature maps, the rules, float32 outputs per map (offsets, then
logits; row by row, pixel by pixel, anchor by anchor) and the boxes that `decode` finds. A decoder
must find the same boxes in the same order, with edges and scores within 1e-5.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.tasks.detection.anchors import paper_sizes
from mobilenet_tf.tasks.detection.decoding import Rules, decode

FILE = Path(__file__).with_name("decoding.json")
_SIDES = ((4, 3), (2, 2), (1, 1))
_CLASSES = 3


def _outputs(random: np.random.Generator, rules: Rules, spread: float) -> list[np.ndarray]:
    found = []
    for (height, width), sizes in zip(_SIDES, rules.sizes, strict=True):
        for values, scale in ((4, spread), (_CLASSES + rules.background, 2.0)):
            shape = (1, height, width, len(sizes) * values)
            drawn = random.normal(0, scale, shape)
            found.append(drawn.round(3).astype(np.float32))
    return found


def cases() -> list[dict[str, Any]]:
    """Return all cases: usual ones, ties, extreme offsets, a background score, and none."""
    sizes = paper_sizes(len(_SIDES))
    usual = Rules(sizes, 0.6, 0.3, 10)
    made = []
    for name, rules, spread in (
        ("usual", usual, 1.0),
        ("few are kept", usual._replace(most=3), 1.0),
        ("strict suppression", usual._replace(overlap=0.1, score=0.05, most=100), 1.0),
        ("background", usual._replace(background=True), 1.0),
        ("extreme offsets", usual, 60.0),
        ("nothing", usual._replace(score=0.9999), 1.0),
    ):
        outputs = _outputs(np.random.default_rng(len(made)), rules, spread)
        made.append((name, rules, outputs))
    ties = [np.zeros_like(one) for one in made[0][2]]
    made.append(("equal scores", usual, ties))
    return [
        {
            "name": name,
            "maps": _SIDES,
            "rules": rules._asdict(),
            "outputs": [one.ravel().tolist() for one in outputs],
            "found": decode(outputs, rules)[0].to_dict(),
        }
        for name, rules, outputs in made
    ]


if __name__ == "__main__":
    write_text(FILE, json_text({"cases": cases()}) + "\n")
