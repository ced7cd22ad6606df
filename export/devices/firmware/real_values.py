"""The outputs of tasks without a decoder in C: their real values."""

from collections.abc import Iterable
from math import prod
from typing import Any

from mobilenet_tf.core.outputs import Outputs, side_by_side
from mobilenet_tf.deployment.devices.firmware.decoder import (
    Decoder,
    RawOutputs,
    c_floats,
    initialiser,
)
from mobilenet_tf.deployment.devices.mcu.c_code import c_float


def _values(outputs: RawOutputs) -> dict[str, Any]:
    tensors = [
        f"  {{{prod(one.shape)}, {one.zero_point}, {c_float(one.scale or 1.0)}}}"
        for one in outputs.tensors
    ]
    count = sum(prod(one.shape) for one in outputs.tensors)
    return {"count": count, "tensors": ",\n".join(tensors)}


def _answers(outputs: RawOutputs, raw: Outputs) -> Iterable[str]:
    for row in side_by_side(outputs.real(raw)):
        yield initialiser(values=f"{{{c_floats(row)}}}")


REAL_VALUES = Decoder(_values, _answers, ("mtf_decode_real.c",))
