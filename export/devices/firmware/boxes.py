"""Boxes in C: anchors, suppression, and the smallest integer that is a candidate."""

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.deployment.devices.firmware.decoder import (
    Decoder,
    RawOutputs,
    c_floats,
    initialiser,
    smallest,
)
from mobilenet_tf.deployment.devices.mcu.c_code import c_float
from mobilenet_tf.tasks.detection.boxes import LARGEST_SIDE
from mobilenet_tf.tasks.detection.decoding import Found, Rules, decode, least_logit

_CANDIDATE_BYTES = 8


def _values(outputs: RawOutputs) -> dict[str, Any]:
    settings, constants = outputs.settings, outputs.constants
    logits = outputs.tensors[1::2]
    background = int(settings["background"])
    classes = logits[0].shape[-1] // len(constants["sizes"][0]) - background
    candidates = min(constants["candidates"], sum(prod(one.shape) for one in logits))
    return {
        "most": settings["most"],
        "score": f"{settings['score']:g}",
        "overlap": f"{settings['overlap']:g}",
        "overlap_value": c_float(settings["overlap"]),
        "background": background,
        "classes": classes,
        "centre_unit": c_float(constants["centre_unit"]),
        "side_unit": c_float(constants["side_unit"]),
        "largest_side": c_float(LARGEST_SIDE),
        "candidates": candidates,
        "candidate_bytes": candidates * _CANDIDATE_BYTES,
        "sizes": "\n".join(_size_arrays(outputs)),
        "maps": ",\n".join(_maps(outputs)),
    }


def _size_arrays(outputs: RawOutputs) -> Iterable[str]:
    """Yield the widths and heights of the anchors of each map."""
    for number, sizes in enumerate(outputs.constants["sizes"]):
        rows = ",\n".join(f"  {{{c_floats(size)}}}" for size in sizes)
        yield f"static const float sizes_{number}[{len(sizes)}][2] = {{\n{rows}\n}};"


def _maps(outputs: RawOutputs) -> Iterable[str]:
    least = least_logit(outputs.settings["score"])
    pairs = zip(outputs.tensors[0::2], outputs.tensors[1::2], strict=True)
    for number, (offsets, logits) in enumerate(pairs):
        height, width = outputs.constants["maps"][number]
        yield initialiser(
            height=height,
            width=width,
            anchors=len(outputs.constants["sizes"][number]),
            sizes=f"sizes_{number}",
            offset_scale=c_float(offsets.scale or 1.0),
            logit_scale=c_float(logits.scale or 1.0),
            offset_zero_point=offsets.zero_point or 0,
            logit_zero_point=logits.zero_point or 0,
            least=smallest(logits, least),
        )


def _answers(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    settings = outputs.settings
    rules = Rules(
        outputs.constants["sizes"],
        settings["overlap"],
        settings["score"],
        settings["most"],
        settings["background"],
    )
    return map(_answer, decode(outputs.real(raw), rules))


def _answer(found: Found) -> str:
    rows = [
        f"{{{c_floats([*box, score])}, {label}}}"
        for box, label, score in zip(
            found.boxes.astype(np.float64), found.classes, found.scores, strict=True
        )
    ]
    boxes = {"boxes": "{\n    " + ",\n    ".join(rows) + "}"} if rows else {}
    return initialiser(count=len(rows), **boxes)


BOXES = Decoder(
    _values, _answers, ("mtf_decode_boxes.c", "mtf_decode_real.c", "mtf_decode_sigmoid.c")
)
