"""Classes and cells in C: the likeliest few, by integers."""

from collections.abc import Iterable, Iterator
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
from mobilenet_tf.deployment.devices.mcu.c_code import c_float
from mobilenet_tf.tasks.classification.task import Classification

_TOP = 3


def _class_values(outputs: RawOutputs) -> dict[str, Any]:
    found = vector_values(outputs)
    return {**found, "top": min(_TOP, found["values"])}


def _settings(outputs: RawOutputs) -> tuple[float, float]:
    """Return the temperature, and the threshold; a file without one accepts every score."""
    settings = outputs.settings
    return settings["temperature"], settings["threshold"] or float(np.finfo(np.float32).min)


def _tempered_values(outputs: RawOutputs) -> dict[str, Any]:
    temperature, threshold = map(c_float, _settings(outputs))
    return {**_class_values(outputs), "temperature": temperature, "threshold": threshold}


def _cell_values(outputs: RawOutputs) -> dict[str, Any]:
    cells = ",\n".join(f"  {{{c_floats(cell)}}}" for cell in outputs.constants["cells"])
    return {**_class_values(outputs), "cells": cells}


def _likeliest(scores: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the initialiser of the likeliest classes of each picture, and their scores."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :_TOP]
    for row, best in zip(scores, order, strict=True):
        yield f"{{{', '.join(map(str, best))}}}", row[best]


def _classes(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    temperature, threshold = _settings(outputs)
    scores = Classification(temperature=temperature).scores(outputs.real(raw))
    for labels, best in _likeliest(scores):
        accepted = int(best[0] >= threshold)
        yield initialiser(labels=labels, scores=f"{{{c_floats(best)}}}", accepted=accepted)


def _cells(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    for cells, best in _likeliest(outputs.real(raw)):
        yield initialiser(cells=cells, scores=f"{{{c_floats(best)}}}")


KERNELS = ("mtf_decode_largest.c", "mtf_decode_real.c")
CLASSES = Decoder(_tempered_values, _classes, (*KERNELS, "mtf_decode_temper.c"))
CELLS = Decoder(_cell_values, _cells, KERNELS)
