"""Classes and cells in C: the likeliest few, by integers."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.deployment.devices.firmware.decoder import (
    Decoder,
    RawOutputs,
    c_floats,
    initialiser,
    vector_values,
)

_TOP = 3


def _class_values(outputs: RawOutputs) -> dict[str, Any]:
    found = vector_values(outputs)
    return {**found, "top": min(_TOP, found["values"])}


def _cell_values(outputs: RawOutputs) -> dict[str, Any]:
    cells = ",\n".join(f"  {{{c_floats(cell)}}}" for cell in outputs.constants["cells"])
    return {**_class_values(outputs), "cells": cells}


def _likeliest(outputs: RawOutputs, raw: Outputs, field: str) -> Iterable[str]:
    scores = outputs.real(raw)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :_TOP]
    for row, best in zip(scores, order, strict=True):
        places = f"{{{', '.join(map(str, best))}}}"
        yield initialiser(**{field: places}, scores=f"{{{c_floats(row[best])}}}")


KERNELS = ("mtf_decode_largest.c", "mtf_decode_real.c")
CLASSES = Decoder(_class_values, partial(_likeliest, field="labels"), KERNELS)
CELLS = Decoder(_cell_values, partial(_likeliest, field="cells"), KERNELS)
