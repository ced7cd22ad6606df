"""Several labels in C: for each, the smallest integer with which it is predicted."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.deployment.devices.firmware.decoder import (
    Decoder,
    RawOutputs,
    c_floats,
    initialiser,
    only_output,
    smallest,
    vector_values,
)
from mobilenet_tf.deployment.devices.mcu.c_code import c_integers
from mobilenet_tf.tasks.multilabel.scores import NEUTRAL, logit, sigmoid


def _thresholds(outputs: RawOutputs) -> np.ndarray:
    """Return the logit of the threshold of each label."""
    neutral = [NEUTRAL] * only_output(outputs).shape[-1]
    return logit(np.array(outputs.settings["thresholds"] or neutral))


def _values(outputs: RawOutputs) -> dict[str, Any]:
    least = [smallest(only_output(outputs), at) for at in _thresholds(outputs)]
    return {"least": c_integers(np.array(least)), **vector_values(outputs)}


def _answers(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    for row in outputs.real(raw):
        predicted = (row.astype(np.float64) >= _thresholds(outputs)).astype(int)
        yield initialiser(
            predicted=f"{{{', '.join(map(str, predicted))}}}",
            probabilities=f"{{{c_floats(sigmoid(row))}}}",
        )


LABELS = Decoder(_values, _answers, ("mtf_decode_real.c", "mtf_decode_sigmoid.c"))
