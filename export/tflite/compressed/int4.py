"""Store kernels of 1x1 convolutions in 4 bits, in forms that runtimes read as they are.

The integers stay the same, and so do the results. XNNPACK runs kernels of 4 bits in
FULLY_CONNECTED and leaves a CONV_2D with such a kernel to slow code, so that files for phones have
the former. TensorFlow Lite Micro knows only the latter with a scale per channel.
"""

import copy
from math import prod

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.compressed.decode_operator import (
    KERNEL,
    kernels_of,
    reader_counts,
)
from mobilenet_tf.deployment.tflite.flatbuffer import (
    add_constant,
    operator_code,
    pack_shared,
    write_metadata_entry,
)
from mobilenet_tf.deployment.tflite.kernels import INT4, pack_int4
from mobilenet_tf.deployment.tflite.metadata import RUNTIME_NAME
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused

_LARGEST = 7
# Of a Cortex-M4 to unpack a weight, which plain C does again for every second pixel; measured by
# `benchmarks.compressed_c`.
_INSTRUCTIONS = 6
_DENSE, _DENSE_VERSION, _DENSE_RUNTIME = "FULLY_CONNECTED", 12, b"2.17.0"


def int4_weights(content: bytes, *, dense: bool) -> bytes:
    """Return the same int8 network with the 1x1 kernels of few values in 4 bits.

    Args:
        content: The file.
        dense: Whether their convolutions become FULLY_CONNECTED, as phones need it.

    Raises:
        UserError: No kernel of a 1x1 convolution has integers from -7 to 7.
    """
    model = parse_model(content)
    names, readers = op_names(model), reader_counts(model)
    changed = False
    for _, op, values, layout in list(kernels_of(model)):
        # Runtimes read no zero points of kernels.
        alone = readers[op.inputs[KERNEL]] == 1 and not any(layout.zero_points)
        if names[op.opcodeIndex] == "CONV_2D" and alone and _is_narrow(op, values):
            _store(model, op, values, dense)
            changed = True
    if not changed:
        raise UserError(
            f"--compress {INT4} finds no kernel of a 1x1 convolution with integers from "
            f"-{_LARGEST} to {_LARGEST}; train the network with --compress {INT4},qat."
        )
    if dense:
        write_metadata_entry(model, RUNTIME_NAME, _DENSE_RUNTIME)
    drop_unused(model)
    return pack_shared(model)


def unpacking_cost(content: bytes) -> dict[str, dict[str, int]]:
    """Return what plain C takes per inference to unpack kernels of 4 bits; see `decoding_cost`."""
    model = parse_model(content)
    graph, weights = model.subgraphs[0], 0
    for op in graph.operators:
        kernel = graph.tensors[op.inputs[KERNEL]] if len(op.inputs) > KERNEL else None
        if kernel is not None and kernel.type == schema.TensorType.INT4:
            _, height, width, _ = graph.tensors[op.outputs[0]].shape.tolist()
            weights += -(-height * width // 2) * prod(kernel.shape.tolist())
    return {INT4: {"weights": weights, "instructions": _INSTRUCTIONS * weights}} if weights else {}


def _is_narrow(op: schema.OperatorT, values: np.ndarray) -> bool:
    """Whether a convolution reads pixels one by one, with integers of 4 bits."""
    options = op.builtinOptions
    steps = options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor
    sides = values.shape[1:3]
    # A row of weights ends with a byte: runtimes differ in how they continue otherwise.
    whole = values.shape[-1] % 2 == 0
    return {*steps, *sides} == {1} and whole and int(np.abs(values.astype(int)).max()) <= _LARGEST


def _store(model: schema.ModelT, op: schema.OperatorT, values: np.ndarray, dense: bool) -> None:
    kernel = copy.copy(model.subgraphs[0].tensors[op.inputs[KERNEL]])
    kernel.type = schema.TensorType.INT4
    if dense:
        kernel.shape = np.array([len(values), values.shape[-1]], np.int32)
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = op.builtinOptions.fusedActivationFunction
        options.keepNumDims = True
        op.opcodeIndex = operator_code(model, _DENSE)
        code = model.operatorCodes[op.opcodeIndex]
        code.version = max(code.version, _DENSE_VERSION)
        op.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        op.builtinOptions = options
    op.inputs = np.array(op.inputs)  # a view of the file cannot be written
    op.inputs[KERNEL] = add_constant(model, kernel, pack_int4(values))
