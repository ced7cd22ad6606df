"""Vectors in C: their length is made 1."""

from collections.abc import Iterable
from typing import Any

from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.deployment.devices.firmware.decoder import (
    Decoder,
    RawOutputs,
    c_floats,
    initialiser,
    vector_values,
)
from mobilenet_tf.deployment.devices.mcu.c_code import c_float
from mobilenet_tf.tasks.embedding.similarity import unit

_THRESHOLD = """
/* The similarity above which two pictures count as the same; chosen on validation pictures. */
#define MODEL_THRESHOLD {}
"""


def _values(outputs: RawOutputs) -> dict[str, Any]:
    threshold = outputs.settings.get("threshold")
    return {
        "threshold_lines": "" if threshold is None else _THRESHOLD.format(c_float(threshold)),
        **vector_values(outputs),
    }


def _answers(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    for vector in unit(outputs.real(raw)):
        yield initialiser(vector=f"{{{c_floats(vector)}}}")


VECTORS = Decoder(_values, _answers, ("mtf_decode_vectors.c", "mtf_decode_real.c"))
