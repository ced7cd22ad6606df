"""Write decoding.json: raw outputs and the boxes in them, for decoders in any language.

    python -m tests.tasks.detection.write_decoding

Each case has the sides of the feature maps, the rules, the outputs per map (offsets, then logits;
row by row, pixel by pixel, anchor by anchor) and the boxes that `decode` finds. The outputs are
there as a file has them, int8 `integers` with `scales` and `zero_points`, and as float32 `outputs`.
A decoder must find the same boxes in the same order, with edges within 1e-5 and scores within 1e-6.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.tasks.detection.anchors import paper_sizes
from mobilenet_tf.tasks.detection.decoding import Rules, decode

FILE = Path(__file__).with_name("decoding.json")
Maps = tuple[tuple[int, int], ...]
_CLASSES = 3
_SMALL: Maps = ((4, 3), (2, 2), (1, 1))
_MANY: Maps = ((6, 6), (3, 3))  # 486 candidates, more than suppression compares
_USUAL = Rules(paper_sizes(3), 0.6, 0.3, 10)
_TWO_MAPS = Rules(paper_sizes(2), 0.6, 0.3, 100)


class Case(NamedTuple):
    """How the outputs of a case are drawn.

    Attributes:
        offset, logit: Standard deviations of the real values.
        fixed: Integer that all outputs consist of instead.
    """

    name: str
    rules: Rules
    maps: Maps = _SMALL
    offset: float = 1.0
    logit: float = 2.0
    fixed: int | None = None


CASES = (
    Case("usual", _USUAL),
    Case("few are kept", _USUAL._replace(most=3)),
    Case("strict suppression", _USUAL._replace(overlap=0.1, score=0.05, most=100)),
    Case("background", _USUAL._replace(background=True)),
    Case("extreme offsets", _USUAL, offset=60.0),
    Case("nothing", _USUAL._replace(score=0.9999)),
    Case("nothing is suppressed", _USUAL._replace(overlap=1.0, most=400)),
    Case("more candidates than are compared", _TWO_MAPS._replace(score=0.01), _MANY),
    Case("the same with all boxes kept", _TWO_MAPS._replace(overlap=1.0, most=400), _MANY, 0.3),
    Case("equal scores", _USUAL, fixed=0),
    Case("the smallest integers", _USUAL._replace(score=0.0001), fixed=-128),
    Case("the largest integers", _USUAL, fixed=127),
    Case("equal scores beyond those compared", _TWO_MAPS._replace(most=400), _MANY, fixed=100),
)


def _outputs(random: np.random.Generator, case: Case) -> tuple[list[TensorInfo], list[np.ndarray]]:
    """Return the quantization and the integers of each output; every map has its own."""
    infos, integers = [], []
    for sides, sizes in zip(case.maps, case.rules.sizes, strict=True):
        for values, spread in ((4, case.offset), (_CLASSES + case.rules.background, case.logit)):
            shape = (1, *sides, len(sizes) * values)
            scale = round(spread * random.uniform(0.02, 0.03), 5)
            info = TensorInfo("output", "int8", shape, scale, int(random.integers(-20, 21)))
            drawn = info.quantize(random.normal(0, spread, shape))
            infos.append(info)
            integers.append(drawn if case.fixed is None else np.full_like(drawn, case.fixed))
    return infos, integers


def _made(seed: int, case: Case) -> dict[str, Any]:
    infos, integers = _outputs(np.random.default_rng(seed), case)
    outputs = [info.dequantize(one) for info, one in zip(infos, integers, strict=True)]
    return {
        "name": case.name,
        "maps": case.maps,
        "rules": case.rules._asdict(),
        "integers": [one.ravel().tolist() for one in integers],
        "scales": [info.scale for info in infos],
        "zero_points": [info.zero_point for info in infos],
        "outputs": [one.ravel().tolist() for one in outputs],
        "found": decode(outputs, case.rules)[0].to_dict(),
    }


def cases() -> list[dict[str, Any]]:
    """Return all cases."""
    return [_made(seed, case) for seed, case in enumerate(CASES)]


if __name__ == "__main__":
    write_text(FILE, json_text({"cases": cases()}) + "\n")
