"""Replace x * relu6(x + 3) by HARD_SWISH, the one operator of microcontrollers and NPUs for it.

Networks are trained in the form that phones run: hard-swish as x * relu6(x + 3), whose factor 1/6
the kernels after it carry. This module undoes both without changing an integer of the file. The
pair ADD, MUL becomes HARD_SWISH. The scale of its output is divided by six, and so are the scales
of all tensors that pass it on, until a kernel's scale is multiplied by six instead.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.flatbuffer import operator_code, pack_shared
from mobilenet_tf.deployment.tflite.parse import op_codes, parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused

_Op = schema.BuiltinOperator
_CONVOLUTIONS = (_Op.CONV_2D, _Op.DEPTHWISE_CONV_2D)
_LINEAR = (_Op.MEAN, _Op.MUL, _Op.RESHAPE)
_SHIFT, _FACTOR = 3.0, 6.0


def fuse_hard_swish(content: bytes) -> bytes:
    """Return the same int8 network with HARD_SWISH in place of each x * relu6(x + 3).

    A product that is read by an operator which cannot carry the factor stays as it is. A file
    without such products is returned unchanged.
    """
    model = parse_model(content)
    graph = model.subgraphs[0]
    changed = False
    for gate in list(graph.operators):
        product = _product_of(model, gate)
        if product is None or not _reaches_kernels_only(model, int(product.outputs[0])):
            continue
        _rescale(model, int(product.outputs[0]))
        graph.operators.remove(gate)
        product.opcodeIndex = operator_code(model, "HARD_SWISH")
        product.inputs = gate.inputs[:1]
        product.builtinOptionsType = schema.BuiltinOptions.HardSwishOptions
        product.builtinOptions = schema.HardSwishOptionsT()
        changed = True
    if not changed:
        return content
    drop_unused(model)
    return pack_shared(model)


def _readers(model: schema.ModelT, tensor: int) -> list[schema.OperatorT]:
    return [op for op in model.subgraphs[0].operators if tensor in op.inputs]


def _product_of(model: schema.ModelT, gate: schema.OperatorT) -> schema.OperatorT | None:
    """The MUL of `gate`'s input with `gate`, if `gate` is relu6(x + 3); else None."""
    codes = op_codes(model)
    if codes[gate.opcodeIndex] != _Op.ADD or len(gate.inputs) != 2:
        return None
    relu6 = gate.builtinOptions.fusedActivationFunction == schema.ActivationFunctionType.RELU6
    constant = model.subgraphs[0].tensors[gate.inputs[1]]
    readers = _readers(model, gate.outputs[0])
    if not relu6 or not _is_three(model, constant) or len(readers) != 1:
        return None
    product = readers[0]
    factors = {int(gate.inputs[0]), int(gate.outputs[0])}
    fits = codes[product.opcodeIndex] == _Op.MUL and set(map(int, product.inputs)) == factors
    return product if fits else None


def _is_three(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) != 1 or tensor.type != schema.TensorType.INT8:
        return False
    quantization = tensor.quantization
    step = int(data.view(np.int8)[0]) - int(quantization.zeroPoint[0])
    return abs(step * float(quantization.scale[0]) - _SHIFT) < 1e-3


def _reaches_kernels_only(model: schema.ModelT, tensor: int) -> bool:
    """Whether a factor on this tensor ends in kernels on all paths."""
    graph, codes = model.subgraphs[0], op_codes(model)
    readers = _readers(model, tensor)
    if tensor in graph.outputs or not readers:
        return False
    return all(
        codes[op.opcodeIndex] in _CONVOLUTIONS
        or (codes[op.opcodeIndex] in _LINEAR and _reaches_kernels_only(model, int(op.outputs[0])))
        for op in readers
    )


def _rescale(model: schema.ModelT, tensor: int) -> None:
    """Divide a tensor's scale by six, and multiply those of the kernels that its values reach."""
    graph, codes = model.subgraphs[0], op_codes(model)
    own = graph.tensors[tensor].quantization
    own.scale = own.scale / np.float32(_FACTOR)
    for op in _readers(model, tensor):
        if codes[op.opcodeIndex] in _CONVOLUTIONS:
            kernel = graph.tensors[op.inputs[1]].quantization
            kernel.scale = kernel.scale * np.float32(_FACTOR)
        else:
            _rescale(model, int(op.outputs[0]))
