"""Kernels of 4 bits give the outputs of the same integers in 8 bits, on phones and in the arena."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from benchmarks.compressed import with_kernels, with_narrow_kernels
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.tflite.compressed.decode_operator import (
    KERNEL,
    kernel_forms,
    kernels_of,
)
from mobilenet_tf.deployment.tflite.compressed.int4 import int4_weights, unpacking_cost
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.kernels import pack_int4, plain_kernel, unpack_int4
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.networks.zoo import make_network
from tests.export.devices.c.files import run_both
from tests.export.devices.c.test_operators import ACTIVATIONS, convolution

NETWORK = make_network("v3_small", 0.35, 48, 3)
CASES, COMPILED = 120, 8  # files; those of them that are run as C, which takes a second each


@pytest.fixture(scope="module")
def narrow():
    return with_narrow_kernels(int8_file(NETWORK))


def in_arena(content: bytes, inputs: np.ndarray) -> np.ndarray:
    """TensorFlow Lite Micro's."""
    return MicroModel(content).run(inputs)


def outputs(content: bytes, inputs: np.ndarray) -> np.ndarray:
    """LiteRT's, on XNNPACK."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    found = []
    for one in inputs:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], one[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.stack(found)


def test_two_values_in_a_byte():
    values = np.arange(-8, 7, dtype=np.int8)
    packed = pack_int4(values)
    assert packed[0] == 0x98
    assert len(packed) == 8
    np.testing.assert_array_equal(unpack_int4(packed)[:15], values)


def read_nibbles(data: np.ndarray, count: int) -> np.ndarray:
    """Integers of 4 bits in two's complement, the low half of a byte first."""
    wide = np.asarray(data, np.uint8).astype(int)
    nibbles = np.stack([wide & 15, wide >> 4], axis=1).reshape(-1)[:count]
    return np.where(nibbles > 7, nibbles - 16, nibbles)


def test_any_integers_come_back():
    random = np.random.default_rng(4)
    for _ in range(CASES):
        shape = tuple(map(int, random.integers(1, 14, int(random.integers(1, 5)))))
        values = random.integers(-8, 8, shape).astype(np.int8)
        packed = pack_int4(values)
        assert len(packed) == -(-values.size // 2)
        np.testing.assert_array_equal(read_nibbles(packed, values.size), values.reshape(-1))
        np.testing.assert_array_equal(unpack_int4(packed)[: values.size], values.reshape(-1))
        # Of fewer bytes than the shape needs, nothing is made up.
        info = TensorInfo("kernel", "int4", shape, 0.1, 0)
        assert plain_kernel(info, packed[:-1]).values is None
        np.testing.assert_array_equal(plain_kernel(info, packed).values, values)


def random_convolution(random: np.random.Generator):
    """A file with one convolution, its input's shape, kernel, and whether 4 bits can store it."""
    inside, outside = (int(channels) for channels in random.integers(1, 20, 2))
    side, stride = (int(random.choice([1, 1, 1, 2])) for _ in range(2))
    size = tuple(map(int, random.integers(2, 6, 2)))
    shape = size, (side, side), (stride, stride), (inside, outside)
    activation = ACTIVATIONS[random.integers(len(ACTIVATIONS))]
    seed = int(random.integers(1 << 30))
    content, given = convolution("CONV_2D", shape, schema.Padding.SAME, activation, seed)
    largest = int(random.choice([1, 7, 7, 7, 8]))
    kernel = random.integers(-largest, largest + 1, (outside, side, side, inside))
    kernel.reshape(-1)[0] = -largest
    content = with_kernels(content, lambda _: kernel)
    zero = int(random.choice([0, 0, 0, 3]))
    model = parse_model(content)
    (_, op, _, _), *_ = kernels_of(model)
    quantization = model.subgraphs[0].tensors[op.inputs[KERNEL]].quantization
    quantization.zeroPoint = np.full_like(quantization.zeroPoint, zero)
    narrow = (side, stride, inside % 2, zero) == (1, 1, 0, 0) and largest < 8
    return pack_shared(model), given, kernel, narrow


def test_kernels_of_every_shape_are_stored_whole_or_not_at_all():
    """Odd channels, wide integers, strides, larger kernels and zero points stay at 8 bits."""
    random, stored = np.random.default_rng(40), 0
    for _ in range(CASES):
        content, given, kernel, narrow = random_convolution(random)
        if not narrow:
            for dense in (False, True):
                with pytest.raises(UserError, match="finds no kernel of a 1x1 convolution"):
                    int4_weights(content, dense=dense)
            continue
        inputs = random.integers(-128, 128, (3, *given)).astype(np.int8)
        for dense, run in ((False, in_arena), (True, outputs)):
            packed = int4_weights(content, dense=dense)
            model = parse_model(packed)
            tensor = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[KERNEL]]
            sides = (len(kernel), kernel.shape[-1]) if dense else kernel.shape
            assert tensor.type == schema.TensorType.INT4
            assert tuple(tensor.shape) == sides
            values = read_nibbles(model.buffers[tensor.buffer].data, kernel.size)
            np.testing.assert_array_equal(values, kernel.reshape(-1))
            np.testing.assert_array_equal(run(packed, inputs), run(content, inputs))
        weights = -(-given[0] * given[1] // 2) * kernel.size  # of pairs of pixels
        cost = unpacking_cost(int4_weights(content, dense=False))
        assert cost == {"int4": {"weights": weights, "instructions": 6 * weights}}
        assert unpacking_cost(content) == {}
        if stored < COMPILED:
            np.testing.assert_array_equal(*run_both(content, inputs, "int4"))
        stored += 1
    assert CASES / 8 < stored < CASES / 2


def test_a_phone_runs_them_in_one_partition(narrow, pictures):
    content = int4_weights(narrow, dense=True)
    facts, plain = inspect(content), inspect(narrow)
    assert facts["delegate"]["problem"] is None
    assert facts["delegate"]["partitions"] == plain["delegate"]["partitions"]
    assert facts["delegate"]["left_out"] == plain["delegate"]["left_out"]
    assert facts["required_runtime"] == "2.17.0"
    assert facts["multiply_adds"] == plain["multiply_adds"]
    assert facts["parameters"] == plain["parameters"]
    stored = [layer for layer in facts["layers"] if layer["stored_as"] == "int4"]
    assert len(stored) > 20
    assert {(layer["op"], layer["ratio"], layer["channel_limit"]) for layer in stored} == {
        ("FULLY_CONNECTED", 2.0, 7)
    }
    assert all(0 < layer["entropy"] < 4 for layer in stored)
    assert len(narrow) - len(content) > 0.9 * sum(layer["stored_bytes"] for layer in stored)
    inputs = (pictures[::8] ^ 0x80).view(np.int8)
    expected = outputs(narrow, inputs)
    assert len(np.unique(expected, axis=0)) > 1
    np.testing.assert_array_equal(outputs(content, inputs), expected)


def test_the_interpreter_of_microcontrollers_runs_them(narrow, pictures):
    form = McuForm(narrow, "int4")
    assert kernel_forms(form.small)["int4"] > 20
    assert len(form.small) < 0.7 * len(form.plain)
    inputs = (pictures[::8] ^ 0x80).view(np.int8)
    np.testing.assert_array_equal(
        MicroModel(form.small).run(inputs), MicroModel(form.plain).run(inputs)
    )


def test_wide_kernels_are_refused():
    with pytest.raises(UserError, match="--compress int4 finds no kernel of a 1x1 convolution"):
        int4_weights(int8_file(NETWORK), dense=True)
