"""Hard-swish as the one operator that microcontrollers and NPUs have for it.

Networks are trained as phones run them: hard-swish as x * relu6(x + 3), its 1/6 carried by the
kernels that follow. Here both are taken back, without touching an integer of the file: the pair
ADD, MUL becomes HARD_SWISH, whose output's scale is a sixth, and so are those of all that passes
it on, until a kernel's scale times six makes up for it.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.flatbuffer import op_codes
from mobilenet_tf.deployment.tflite.interpreter import parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused, pack_shared

_Op = schema.BuiltinOperator
_CONVOLUTIONS = (_Op.CONV_2D, _Op.DEPTHWISE_CONV_2D)
_PASS_ON = (_Op.MEAN, _Op.MUL, _Op.RESHAPE)
_THREE, _SIXTH = 3.0, 6.0


def fuse_hard_swish(content: bytes) -> bytes:
    """The same int8 network with HARD_SWISH in place of each x * relu6(x + 3).

    A product that is read by an operator which could not carry the factor stays as it is. Files
    without such products come back unchanged.
    """
    model = parse_model(content)
    graph = model.subgraphs[0]
    found = False
    for gate in list(graph.operators):
        product = _product_of(model, gate)
        if product is None or not _scalable(model, int(product.outputs[0])):
            continue
        _scale(model, int(product.outputs[0]))
        graph.operators.remove(gate)
        product.opcodeIndex = _hard_swish_code(model)
        product.inputs = gate.inputs[:1]
        product.builtinOptionsType = schema.BuiltinOptions.HardSwishOptions
        product.builtinOptions = schema.HardSwishOptionsT()
        found = True
    if not found:
        return content
    drop_unused(model)
    return pack_shared(model)


def _readers(model: schema.ModelT, tensor: int) -> list:
    return [op for op in model.subgraphs[0].operators if tensor in op.inputs]


def _product_of(model: schema.ModelT, gate):
    """The MUL of `gate`'s input with `gate`, where that is relu6(x + 3); else None."""
    codes = op_codes(model)
    if codes[gate.opcodeIndex] != _Op.ADD or len(gate.inputs) != 2:
        return None
    relu6 = gate.builtinOptions.fusedActivationFunction == schema.ActivationFunctionType.RELU6
    constant = model.subgraphs[0].tensors[gate.inputs[1]]
    readers = _readers(model, gate.outputs[0])
    if not relu6 or not _is_three(model, constant) or len(readers) != 1:
        return None
    product = readers[0]
    both = {int(gate.inputs[0]), int(gate.outputs[0])}
    fits = codes[product.opcodeIndex] == _Op.MUL and set(map(int, product.inputs)) == both
    return product if fits else None


def _is_three(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) != 1 or tensor.type != schema.TensorType.INT8:
        return False
    quantization = tensor.quantization
    step = int(data.view(np.int8)[0]) - int(quantization.zeroPoint[0])
    return abs(step * float(quantization.scale[0]) - _THREE) < 1e-3


def _scalable(model: schema.ModelT, tensor: int) -> bool:
    """Whether a factor on this tensor reaches kernels and nothing else."""
    graph, codes = model.subgraphs[0], op_codes(model)
    readers = _readers(model, tensor)
    if tensor in graph.outputs or not readers:
        return False
    return all(
        codes[op.opcodeIndex] in _CONVOLUTIONS
        or (codes[op.opcodeIndex] in _PASS_ON and _scalable(model, int(op.outputs[0])))
        for op in readers
    )


def _scale(model: schema.ModelT, tensor: int) -> None:
    """Divide a tensor by six, and multiply the kernels that read it, near or far."""
    graph, codes = model.subgraphs[0], op_codes(model)
    own = graph.tensors[tensor].quantization
    own.scale = own.scale / np.float32(_SIXTH)
    for op in _readers(model, tensor):
        if codes[op.opcodeIndex] in _CONVOLUTIONS:
            kernel = graph.tensors[op.inputs[1]].quantization
            kernel.scale = kernel.scale * np.float32(_SIXTH)
        else:
            _scale(model, int(op.outputs[0]))


def _hard_swish_code(model: schema.ModelT) -> int:
    codes = op_codes(model)
    if _Op.HARD_SWISH not in codes:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = _Op.HARD_SWISH
        code.version = 1
        model.operatorCodes.append(code)
        codes.append(_Op.HARD_SWISH)
    return codes.index(_Op.HARD_SWISH)
