"""Masks in C: logits that are enlarged row by row, in integers."""

from collections.abc import Iterable
from typing import Any

from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.deployment.devices.firmware.decoder import (
    Decoder,
    RawOutputs,
    initialiser,
    only_output,
)
from mobilenet_tf.tasks.segmentation.masks import predicted


def _values(outputs: RawOutputs) -> dict[str, Any]:
    _, grid_height, grid_width, classes = only_output(outputs).shape
    height, width = outputs.sides
    return {
        "height": height,
        "width": width,
        "grid_height": grid_height,
        "grid_width": grid_width,
        "classes": classes,
        "factor_y": height // grid_height,
        "factor_x": width // grid_width,
    }


def _answers(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    # Of integers, because real values are rounded, and may not be equal where integers are.
    for mask in predicted(raw, outputs.sides):
        rows = ",\n".join(f"    {{{', '.join(map(str, row))}}}" for row in mask.tolist())
        yield initialiser(mask=f"{{\n{rows}}}")


MASKS = Decoder(_values, _answers, ("mtf_decode_masks.c",))
