"""Kernels of 4 bits give the outputs of the same integers in 8 bits, on phones and in the arena."""

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.tflite.compressed.decode_operator import kernel_forms, kernels_of
from mobilenet_tf.deployment.tflite.compressed.int4 import int4_weights
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.kernels import pack_int4, unpack_int4
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.networks.zoo import make_network

NETWORK = make_network("v3_small", 0.35, 48, 3)


def with_narrow_kernels(content: bytes) -> bytes:
    """The file with integers from -7 to 7 in all convolutions, at the scales of such integers."""
    model = parse_model(content)
    for _, op, values, _ in list(kernels_of(model)):
        kernel = model.subgraphs[0].tensors[op.inputs[1]]
        model.buffers[kernel.buffer].data = (
            np.rint(values * (7 / 127)).astype(np.int8).view(np.uint8).reshape(-1)
        )
        kernel.quantization.scale = kernel.quantization.scale * np.float32(127 / 7)
    return pack_shared(model)


@pytest.fixture(scope="module")
def narrow():
    return with_narrow_kernels(int8_file(NETWORK))


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
