"""The files that all folders of C have."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs, each, one_or_all, side_by_side
from mobilenet_tf.deployment.devices.firmware.boxes import BOXES
from mobilenet_tf.deployment.devices.firmware.classes import CELLS, CLASSES
from mobilenet_tf.deployment.devices.firmware.decoder import Decoder, RawOutputs
from mobilenet_tf.deployment.devices.firmware.labels import LABELS
from mobilenet_tf.deployment.devices.firmware.masks import MASKS
from mobilenet_tf.deployment.devices.firmware.real_values import REAL_VALUES
from mobilenet_tf.deployment.devices.firmware.vectors import VECTORS
from mobilenet_tf.deployment.devices.mcu.c_code import c_int8
from mobilenet_tf.deployment.devices.model import PREFIX
from mobilenet_tf.deployment.devices.templates import fill, golden_numbers

_PACKAGE = "mobilenet_tf.deployment.devices.firmware"
# `Task.decoding`, which is also the name of a folder in decodings/ -> what fills its templates.
DECODERS: Mapping[str, Decoder] = {
    "classes": CLASSES,
    "boxes": BOXES,
    "masks": MASKS,
    "vectors": VECTORS,
    "labels": LABELS,
    "cells": CELLS,
    "real_values": REAL_VALUES,
}


def decoding_files(outputs: RawOutputs, prefix: str = PREFIX) -> dict[str, bytes]:
    """Return the files that decode outputs: file name -> content.

    Args:
        outputs: The outputs.
        prefix: As for `fill`.
    """
    decoder = DECODERS[outputs.decoding]
    kernels = fill(_PACKAGE, {}, prefix, "kernels")
    used = {"mtf_decode.h", *decoder.kernels}
    return {
        **fill(
            _PACKAGE,
            {"title": "", **decoder.values(outputs)},
            prefix,
            f"decodings/{outputs.decoding}",
        ),
        **{f"kernels/{file}": kernels[file] for file in sorted(used)},
    }


def shared_files(
    outputs: RawOutputs, values: Mapping[str, Any], prefix: str, steps: int
) -> dict[str, bytes]:
    """Return what is the same for a network in every form: file name -> content.

    Args:
        outputs: The outputs.
        values: As from `model_values` and `golden_values`.
        prefix: As for `fill`.
        steps: The difference that the self-test allows by default.
    """
    values = {**values, "steps": steps}
    return {**shared_templates(values, prefix), **decoding_files(outputs, prefix)}


def shared_templates(values: Mapping[str, Any], prefix: str = PREFIX) -> dict[str, bytes]:
    """Return those of `shared_files` that are the same for all tasks."""
    return fill(_PACKAGE, values, prefix)


def golden_values(outputs: RawOutputs, inputs: np.ndarray, raw: Outputs) -> dict[str, Any]:
    """Return some of the pictures, their outputs and answers as C, see `golden_numbers`.

    Args:
        outputs: The outputs.
        inputs: int8 (N, h, w, c), all pictures.
        raw: Their int8 outputs.
    """
    chosen = golden_numbers(len(inputs))
    inputs, raw = inputs[chosen], one_or_all(one[chosen] for one in each(raw))
    decoder, values = DECODERS[outputs.decoding], side_by_side(raw)
    return {
        "golden_count": len(inputs),
        "golden_bytes": inputs.size + values.size,
        "golden_inputs": c_int8(inputs.reshape(len(inputs), -1)),
        "golden_outputs": c_int8(values),
        "golden_answers": ",\n".join(decoder.answers(outputs, raw)),
    }
