"""The scratch buffers that Arm's kernels (CMSIS-NN) need in the arena besides the tensors.

The interpreter on this machine has the reference kernels, which need none, so the buffers are
computed. The formulas are those of CMSIS-NN's `arm_*_wrapper_s8_get_buffer_size`. The interpreter
puts the buffers into gaps of the memory plan, the largest first, each at the lowest free place.
"""

from collections.abc import Callable
from math import prod

from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.memory_plan import (
    Lifetime,
    arena_size,
    arena_size_with,
    lifetimes,
    plan_offsets,
)
from mobilenet_tf.deployment.tflite.parse import op_codes, parse_model

_Op = schema.BuiltinOperator
_MVE_CHANNELS = 124  # channels of a depthwise convolution that are computed at a time


def _dsp_convolution(area: int, channels: int) -> int:
    """Two columns of int16. For 1x1, gcc's build needs less than Arm's compiler, assumed here."""
    values = channels if area == 1 else -(-area * channels // 4) * 4
    return 2 * 2 * values


def _dsp_depthwise(area: int, channels: int) -> int:
    """None for 3x3, which has a kernel of its own; others widen their input to int16."""
    return 0 if area == 9 else 2 * area * channels


def _mve_convolution(area: int, channels: int) -> int:
    """Four columns in vectors of 16; none for 1x1, which reads its input in place."""
    return 0 if area == 1 else 4 * 16 * -(-area * channels // 16)


def _mve_depthwise(area: int, channels: int) -> int:
    return 4 * area * _MVE_CHANNELS


# Core -> operator -> function of (area of the kernel, channels of the input) -> bytes.
CORES: dict[str, dict[int, Callable[[int, int], int]]] = {
    "cortex-m4": {_Op.CONV_2D: _dsp_convolution, _Op.DEPTHWISE_CONV_2D: _dsp_depthwise},
    "cortex-m55": {_Op.CONV_2D: _mve_convolution, _Op.DEPTHWISE_CONV_2D: _mve_depthwise},
}


def scratch_beyond(data: bytes, core: str) -> int:
    """Return the number of bytes by which CMSIS-NN enlarges the arena.

    Args:
        data: A file with a memory plan, as `shrink` writes it.
        core: One of `CORES`: cortex-m4 stands for all cores with DSP instructions (M4, M7, M33),
            cortex-m55 for those with vector instructions (M55, M85).
    """
    model = parse_model(data)
    graph, codes = model.subgraphs[0], op_codes(model)
    wanted = []
    for step, op in enumerate(graph.operators):
        formula = CORES[core].get(codes[op.opcodeIndex])
        if formula:
            kernel = graph.tensors[op.inputs[1]].shape
            channels = int(graph.tensors[op.inputs[0]].shape[3])
            wanted.append(Lifetime(formula(prod(map(int, kernel[1:3])), channels), step, step))
    planned = list(lifetimes(model).values())
    offsets = plan_offsets(planned)
    return arena_size_with(planned, offsets, wanted) - arena_size(planned, offsets)
