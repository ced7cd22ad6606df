"""Every operator, bit for bit the interpreter's, at the edges of shapes and quantization."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c.calls import OPERATORS
from mobilenet_tf.deployment.devices.c.folder import CForm
from tests.export.devices.c.files import OneOperator, run_both

_Act, _Pad = schema.ActivationFunctionType, schema.Padding
ACTIVATIONS = (_Act.NONE, _Act.RELU, _Act.RELU6, _Act.RELU_N1_TO_1)


def check(content, shape, count=6, seed=0):
    """Compare random inputs and the extremes."""
    inputs = np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)
    inputs[0], inputs[1] = -128, 127
    found, expected = run_both(content, inputs)
    np.testing.assert_array_equal(found, expected)
    return expected


def convolution(kind, shape, padding, activation, seed=0, dilation=(1, 1)):
    """A file with one convolution of an input (height, width, channels)."""
    size, kernel, stride, channels = shape
    builder = OneOperator(seed)
    depthwise = kind == "DEPTHWISE_CONV_2D"
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding, options.fusedActivationFunction = padding, activation
    options.strideH, options.strideW = stride
    options.dilationHFactor, options.dilationWFactor = dilation
    if depthwise:
        options.depthMultiplier = 1
    inside, outside = channels
    source = builder.tensor((1, *size, inside))
    sides = (1, *kernel, inside) if depthwise else (outside, *kernel, inside)
    constants = builder.weights(sides, 3 if depthwise else 0, outside)
    out = [
        -(-n // s) if padding == _Pad.SAME else (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
    ]
    result = builder.tensor((1, *out, outside))
    return builder.file(kind, [source, *constants], result, options), (*size, inside)


SHAPES = (
    # size, kernel, stride, (input, output channels)
    ((7, 5), (3, 3), (2, 2), (3, 5)),
    ((6, 9), (3, 3), (1, 1), (8, 8)),
    ((1, 12), (1, 3), (1, 1), (4, 4)),
    ((9, 4), (5, 1), (1, 2), (2, 6)),
    ((8, 8), (7, 7), (2, 2), (1, 1)),
    ((3, 3), (5, 5), (1, 1), (6, 6)),
    ((5, 5), (1, 1), (1, 1), (7, 9)),
    ((5, 5), (1, 1), (2, 2), (16, 2)),
    ((1, 1), (1, 1), (1, 1), (33, 1)),
)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_convolutions(shape):
    size, kernel, *_ = shape
    seed = SHAPES.index(shape)
    padding = _Pad.VALID if kernel[0] <= size[0] and seed % 2 else _Pad.SAME
    activation = ACTIVATIONS[seed % len(ACTIVATIONS)]
    content, input_shape = convolution("CONV_2D", shape, padding, activation, seed)
    assert len(np.unique(check(content, input_shape))) > 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_depthwise_convolutions(shape):
    size, kernel, stride, (channels, _) = shape
    same = (size, kernel, stride, (channels, channels))
    content, input_shape = convolution("DEPTHWISE_CONV_2D", same, _Pad.SAME, _Act.RELU6, seed=5)
    check(content, input_shape)


def test_a_multiplier_above_one():
    """Its shift is positive: the sum is shifted before it is multiplied."""
    builder = OneOperator(1)
    source = builder.tensor((1, 2, 2, 4), scale=0.5)
    weights = builder.tensor(
        (3, 1, 1, 4), np.int8([[1, -2, 3, 0], [0, 0, 1, 1], [2, 2, -1, 0]]), scale=[1, 3, 0.1]
    )
    builder.graph.tensors[weights].quantization.zeroPoint[:] = 0
    result = builder.tensor((1, 2, 2, 3), scale=0.25, zero=3)
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    options.dilationHFactor = options.dilationWFactor = 1
    check(builder.file("CONV_2D", [source, weights], result, options), (2, 2, 4))


@pytest.mark.parametrize("per_channel", [False, True])
def test_fully_connected(per_channel):
    builder = OneOperator(2)
    source = builder.tensor((1, 37))
    weights, bias = builder.weights((5, 37), 0, 5)
    if not per_channel:
        builder.graph.tensors[weights].quantization.scale = np.float32([0.004])
        builder.graph.tensors[weights].quantization.zeroPoint = np.int64([0])
        scale = builder.graph.tensors[source].quantization.scale[0]
        builder.graph.tensors[bias].quantization.scale = np.float32([scale * 0.004])
        builder.graph.tensors[bias].quantization.zeroPoint = np.int64([0])
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _Act.RELU
    result = builder.tensor((1, 5))
    check(builder.file("FULLY_CONNECTED", [source, weights, bias], result, options), (37,))


OPERANDS = {
    "same": (4, 3, 8),
    "channels": (1, 1, 8),
    "number": (),
    "pixels": (4, 3, 1),
}


@pytest.mark.parametrize("kind", ["ADD", "MUL"])
@pytest.mark.parametrize("operand", OPERANDS)
def test_sums_and_products(kind, operand):
    seed = list(OPERANDS).index(operand)
    builder = OneOperator(seed)
    source = builder.tensor((1, 4, 3, 8))
    shape = (1, *OPERANDS[operand]) if OPERANDS[operand] else ()
    values = builder.random.integers(-128, 128, shape).astype(np.int8)
    other = builder.tensor(shape, values)
    options = schema.AddOptionsT() if kind == "ADD" else schema.MulOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[seed]
    result = builder.tensor((1, 4, 3, 8), scale=0.09)
    check(builder.file(kind, [source, other], result, options), (4, 3, 8))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (7, 7), (4, 5), (12, 12)])
def test_means(size):
    builder = OneOperator(sum(size))
    source = builder.tensor((1, *size, 5))
    axes = builder.tensor((2,), np.int32([1, 2]), scale=[], zero=0)
    options = schema.ReducerOptionsT()
    options.keepDims = size[0] > 2
    result = builder.tensor((1, 1, 1, 5) if options.keepDims else (1, 5))
    check(builder.file("MEAN", [source, axes], result, options), (*size, 5), 60)


@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
@pytest.mark.parametrize("padding", [_Pad.SAME, _Pad.VALID])
def test_pools(kind, padding):
    for size, window, stride in (((7, 5), (3, 3), (2, 2)), ((6, 6), (6, 6), (1, 1))):
        builder = OneOperator(4)
        source = builder.tensor((1, *size, 6), scale=0.05, zero=-20)
        options = schema.Pool2DOptionsT()
        options.padding, options.fusedActivationFunction = padding, _Act.RELU6
        options.strideH, options.strideW = stride
        options.filterHeight, options.filterWidth = window
        out = [
            -(-n // s) if padding == _Pad.SAME else (n - k) // s + 1
            for n, k, s in zip(size, window, stride, strict=True)
        ]
        result = builder.tensor((1, *out, 6), scale=0.05, zero=-20)
        check(builder.file(kind, [source], result, options), (*size, 6))


def test_the_largest_of_all_pixels():
    builder = OneOperator(0)
    source = builder.tensor((1, 4, 5, 6), scale=0.1, zero=3)
    axes = builder.tensor((2,), np.int32([1, 2]), scale=[], zero=0)
    options = schema.ReducerOptionsT()
    options.keepDims = True
    result = builder.tensor((1, 1, 1, 6), scale=0.1, zero=3)
    check(builder.file("REDUCE_MAX", [source, axes], result, options), (4, 5, 6))


@pytest.mark.parametrize("sides", [((1, 2), (0, 3)), ((0, 1), (0, 1)), ((2, 0), (1, 0))])
def test_pad(sides):
    builder = OneOperator(1)
    source = builder.tensor((1, 3, 4, 5), scale=0.1, zero=-7)
    paddings = np.int32([(0, 0), *sides, (0, 0)])
    amounts = builder.tensor((4, 2), paddings, scale=[], zero=0)
    shape = (1, 3 + sum(sides[0]), 4 + sum(sides[1]), 5)
    result = builder.tensor(shape, scale=0.1, zero=-7)
    check(builder.file("PAD", [source, amounts], result, schema.PadOptionsT()), (3, 4, 5))


def test_enlargement_by_two():
    builder = OneOperator(1)
    source = builder.tensor((1, 3, 5, 4), scale=0.1, zero=3)
    sides = builder.tensor((2,), np.array([6, 10], np.int32))
    result = builder.tensor((1, 6, 10, 4), scale=0.1, zero=3)
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = True
    check(builder.file("RESIZE_BILINEAR", [source, sides], result, options), (3, 5, 4))


@pytest.mark.parametrize("axis", [1, 3, -1])
def test_concatenation(axis):
    builder = OneOperator(1)
    source = builder.tensor((1, 3, 4, 5), scale=0.1, zero=0)
    constant = builder.random.integers(-128, 128, (1, 3, 4, 5)).astype(np.int8)
    other = builder.tensor((1, 3, 4, 5), constant, scale=0.1, zero=0)
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    shape = [1, 3, 4, 5]
    shape[axis] *= 3
    result = builder.tensor(tuple(shape), scale=0.1, zero=0)
    content = builder.file("CONCATENATION", [source, other, source], result, options)
    check(content, (3, 4, 5))


@pytest.mark.parametrize("kind", ["HARD_SWISH", "LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU"])
def test_functions_of_one_value(kind):
    """All 256 inputs."""
    builder = OneOperator(3)
    source = builder.tensor((1, 4, 8, 8))
    fixed = {"LOGISTIC": {"scale": 1 / 256, "zero": -128}, "TANH": {"scale": 1 / 128, "zero": 0}}
    result = builder.tensor((1, 4, 8, 8), **fixed.get(kind, {}))
    options = {"HARD_SWISH": schema.HardSwishOptionsT(), "LEAKY_RELU": schema.LeakyReluOptionsT()}
    options["LEAKY_RELU"].alpha = 0.3
    inputs = np.arange(-128, 128).astype(np.int8).reshape(1, 4, 8, 8)
    found, expected = run_both(builder.file(kind, [source], result, options.get(kind)), inputs)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(expected)) > 20


@pytest.mark.parametrize(
    ("classes", "scale"), [(2, 0.17), (3, 3.0), (10, 0.001), (10, 0.05), (100, 0.9), (100, 0.1)]
)
def test_softmax(classes, scale):
    builder = OneOperator(0)
    source = builder.tensor((1, classes), scale=scale, zero=11)
    result = builder.tensor((1, classes), scale=1 / 256, zero=-128)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    content = builder.file("SOFTMAX", [source], result, options)
    random = np.random.default_rng(classes)
    spread = random.uniform(0, 60, (500, 1))
    inputs = np.clip(random.normal(0, 1, (500, classes)) * spread, -128, 127).astype(np.int8)
    inputs[0] = 5
    found, expected = run_both(content, inputs)
    np.testing.assert_array_equal(found, expected)


def test_what_has_no_form_is_refused():
    builder = OneOperator(0)
    source = builder.tensor((1, 4, 4, 2), scale=0.1, zero=0)
    result = builder.tensor((1, 2, 2, 8), scale=0.1, zero=0)
    options = schema.SpaceToDepthOptionsT()
    options.blockSize = 2
    content = builder.file("SPACE_TO_DEPTH", [source], result, options)
    with pytest.raises(UserError, match=r"Operator 0 \(SPACE_TO_DEPTH\) is an operator, which has"):
        _ = CForm(content).source.kernels
    assert "SPACE_TO_DEPTH" not in OPERATORS


def test_every_interpreter_operator_of_the_folder_has_a_form():
    """What `--target mcu` accepts, `--target c` accepts."""
    from mobilenet_tf.deployment.devices.mcu.folder import RESOLVER

    assert set(RESOLVER) <= {*OPERATORS, "RESHAPE"}


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation"),
    [
        ((6, 9), (3, 3), (1, 1), (2, 2)),
        ((7, 5), (3, 3), (2, 1), (3, 2)),
        ((3, 4), (5, 3), (1, 1), (4, 1)),
        ((2, 2), (3, 3), (1, 1), (8, 8)),
    ],
)
def test_dilated_depthwise_convolutions(size, kernel, stride, dilation):
    shape = (size, kernel, stride, (5, 5))
    for padding in (_Pad.SAME, _Pad.VALID):
        if padding == _Pad.SAME or size == (7, 5):
            check(*convolution("DEPTHWISE_CONV_2D", shape, padding, _Act.RELU6, 3, dilation))


def test_dilations_of_other_convolutions_are_refused():
    for dilation in ((2, 1), (1, 3)):
        shape = ((6, 6), (3, 3), (1, 1), (4, 4))
        content, _ = convolution("CONV_2D", shape, _Pad.SAME, _Act.NONE, 0, dilation)
        with pytest.raises(UserError, match="has a dilation, which has no form in C"):
            _ = CForm(content).source.kernels


def test_rescaling_is_exact_for_all_shifts():
    """Ties of both roundings, on both sides of zero, through a convolution of one value."""
    for shift, sign in ((0, 1), (1, -1), (2, 1), (5, -1)):
        builder = OneOperator(0)
        source = builder.tensor((1, 1, 256, 1), scale=1.0, zero=0)
        weights = builder.tensor((1, 1, 1, 1), np.int8([[[[sign * 3]]]]), scale=[1.0], zero=0)
        result = builder.tensor((1, 1, 256, 1), scale=float(2**shift) * 0.75, zero=0)
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        options.dilationHFactor = options.dilationWFactor = 1
        content = builder.file("CONV_2D", [source, weights], result, options)
        inputs = np.arange(-128, 128).astype(np.int8).reshape(1, 1, 256, 1)
        found, expected = run_both(content, inputs)
        np.testing.assert_array_equal(found, expected)
