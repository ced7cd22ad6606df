import io
import json
from dataclasses import replace

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rich.console import Console

from mobilenet_tf.commands.outcomes.inspection import Inspection
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.compressed.codecs import CODECS
from mobilenet_tf.deployment.tflite.compressed.decode_operator import insert_decode, layout_of
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused, shrink

# The net of conftest.py: 32 x 32 x 3, then 16 x 16 from the stem on.
PIXELS = 16 * 16
PARAMETERS = (27 * 8 + 8) + (8 * 24 + 24) + (9 * 24 + 24) + (24 * 8 + 8) + (8 * 5 + 5)
MULTIPLY_ADDS = PIXELS * (27 * 8 + 8 * 24 + 9 * 24 + 24 * 8) + 8 * 5
# At the depthwise convolution: its input, its output, and the stem's that ADD still needs.
PEAK_ELEMENTS = PIXELS * (24 + 24 + 8)
# The input, the result of each of eight operators, five kernels and their biases.
TENSORS = 1 + 8 + 10


def shown(found):
    """What a terminal of 120 columns prints."""
    stream = io.StringIO()
    Console(width=120, file=stream).print(Inspection(found))
    return stream.getvalue()


def repacked(model):
    """The bytes of a model that was changed in place."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("name", "bytes_each", "floats", "boundary", "on_weights"),
    [
        ("float32", 4, TENSORS, 0, 0),
        ("float16", 4, TENSORS + 10, 0, 10),
        ("int8", 1, 0, 0, 0),
        ("uint8", 1, 0, 2, 0),
    ],
)
def test_counted_by_hand(files, name, bytes_each, floats, boundary, on_weights):
    path = getattr(files, name)
    found = inspect(path)
    assert found["file"] == path.name
    assert found["bytes"] == path.stat().st_size
    assert 0.2 * found["bytes"] < found["download_bytes"] < found["bytes"]
    assert found["parameters"] == PARAMETERS
    assert found["multiply_adds"] == MULTIPLY_ADDS
    assert found["peak_activation_bytes"] == PEAK_ELEMENTS * bytes_each
    assert found["float_tensors"] == floats
    assert found["quantize_ops"] == {"boundary": boundary, "inside": 0, "weights": on_weights}
    assert found["ops"]["CONV_2D"]["count"] == 3
    assert found["ops"].get("QUANTIZE", {}).get("count", 0) == boundary
    json.dumps(found)


def test_weights_in_bytes(files):
    biases = 8 + 24 + 24 + 8 + 5
    assert inspect(files.float32)["weight_bytes"] == PARAMETERS * 4
    assert inspect(files.float16)["weight_bytes"] == PARAMETERS * 2
    assert inspect(files.int8)["weight_bytes"] == PARAMETERS - biases + biases * 4


def test_inputs_outputs_and_runtime(files):
    found = inspect(files.uint8)
    assert found["required_runtime"] == "1.14.0"
    (picture,), (scores,) = found["inputs"], found["outputs"]
    assert (picture["dtype"], picture["shape"]) == ("uint8", [1, 32, 32, 3])
    assert np.float32(picture["scale"]) == np.float32(1 / 127.5)
    assert picture["zero_point"] == 128
    assert (scores["scale"], scores["zero_point"]) == (1 / 256, 0)
    assert found["tensors"] == {"int32": 6, "int8": 14, "uint8": 2}


def test_partitions(files):
    """int8 HARD_SWISH splits the graph; XNNPACK leaves out int8 SOFTMAX and the outer QUANTIZE."""
    for name, partitions, left_out in (
        ("float32", 1, {}),
        ("float16", 1, {}),
        ("int8", 1, {"SOFTMAX": 1}),
        ("uint8", 1, {"QUANTIZE": 2, "SOFTMAX": 1}),
        ("swish", 2, {"HARD_SWISH": 1, "SOFTMAX": 1}),
    ):
        delegate = inspect(getattr(files, name))["delegate"]
        expected = {"name": "XNNPACK", "partitions": partitions, "left_out": left_out}
        assert delegate == expected | {"problem": None}, name


def test_an_operator_the_runtime_lacks(files):
    """The file is described all the same; only the delegate is unknown."""
    model = parse_model(files.int8.read_bytes())
    code = next(c for c in model.operatorCodes if c.builtinCode == schema.BuiltinOperator.SOFTMAX)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"Mystery"
    found = inspect(repacked(model))
    assert found["ops"]["Mystery"]["count"] == 1
    assert found["delegate"]["partitions"] is None
    assert "Mystery" in found["delegate"]["problem"]
    assert "Mystery" in shown(found)


def test_ranges_used_by_the_kernels(files):
    layers = inspect(files.int8)["layers"]
    assert [layer["op"] for layer in layers] == [
        "CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "FULLY_CONNECTED",
    ]  # fmt: skip
    assert [layer["shape"] for layer in layers][2] == [1, 3, 3, 24]
    for layer in layers:
        assert layer["per_channel"]
        assert layer["channel_max"] == {"min": 127, "median": 127, "max": 127}
    for layer in inspect(files.float32)["layers"]:
        assert (layer["per_channel"], layer["channel_max"]) == (False, None)


def test_a_kernel_with_one_range_shows_its_weak_channels(files):
    """A depthwise kernel that was trained with one range per tensor looks like this."""
    model = parse_model(files.int8.read_bytes())
    tensor = next(
        t
        for t in model.subgraphs[0].tensors
        if t.shape is not None and tuple(t.shape) == (1, 3, 3, 24)
    )
    kernel = np.zeros((1, 3, 3, 24), np.int8)
    kernel[0, 1, 1] = -np.arange(24)
    model.buffers[tensor.buffer].data = kernel.view(np.uint8).ravel()
    tensor.quantization.scale = tensor.quantization.scale[:1]
    tensor.quantization.zeroPoint = tensor.quantization.zeroPoint[:1]
    layer = inspect(repacked(model))["layers"][2]
    assert not layer["per_channel"]
    assert layer["channel_max"] == {"min": 0, "median": 11.5, "max": 23}


def test_the_terminal_shows_the_facts(files):
    labels = ["[red]", "Äpfel", "c", "d", "e"]
    facts = {"name": "n", "description": "d", "labels": labels, "input_spec": InputSpec()}
    found = inspect(add_metadata(files.uint8.read_bytes(), **facts))
    assert found["metadata"]["labels"] == labels
    text = shown(found)
    for expected in (
        f"{PARAMETERS:,}", f"{MULTIPLY_ADDS:,}", "1.14.0", "2 QUANTIZE, 1 SOFTMAX",
        "2 at the boundary, 0 inside", "5: [red], Äpfel, c ...", "zero point 128", "per channel",
    ):  # fmt: skip
        assert expected in text


def test_files_without_fixed_sides_are_described(to_float):
    import tf_keras as keras

    picture = keras.Input((None, None, 3), batch_size=1)
    net = keras.Model(picture, keras.layers.Conv2D(4, 3)(picture))
    found = inspect(to_float(net))
    assert found["parameters"] == 3 * 9 * 4 + 4
    assert found["multiply_adds"] is None
    assert found["peak_activation_bytes"] is None


def test_foreign_files(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        inspect(tmp_path / "none.tflite")
    with pytest.raises(UserError, match="lacks the mark TFL3"):
        inspect(b"PK\x03\x04" + bytes(100))


def test_kernels_that_decode_restores(files):
    """They are described as if they were plain, with what they take in the file."""
    content = shrink(files.int8.read_bytes())
    model = parse_model(content)
    graph = model.subgraphs[0]
    op = next(
        op for op in graph.operators if tuple(graph.tensors[op.inputs[1]].shape) == (24, 1, 1, 8)
    )
    kernel = np.tile(np.int8([0, 5, 0, 5, 0, 0, 7, 0]), 24).reshape(24, 1, 1, 8)
    encoded = CODECS["prune"].encode(kernel, layout_of(graph.tensors[op.inputs[1]]))
    insert_decode(model, op, encoded)
    drop_unused(model)
    before, after = inspect(content), inspect(repacked(model))
    layer = after["layers"][1]
    assert (layer["stored_as"], layer["stored_bytes"]) == ("prune", 24 + 16 + 24 * 3)
    assert layer["ratio"] == round(192 / 112, 3)
    assert layer["entropy"] == round(-(5 * np.log2(5 / 8) + 2 * np.log2(2 / 8) - 3) / 8, 3)
    assert layer["channel_max"] == {"min": 7, "median": 7, "max": 7}
    assert [other["stored_as"] for other in after["layers"]].count("plain") == 4
    for same in ("parameters", "multiply_adds", "float_tensors"):
        assert after[same] == before[same]
    assert after["peak_activation_bytes"] >= before["peak_activation_bytes"]
    assert "TFLM_DECODE" in after["delegate"]["problem"]
    assert "prune" in shown(after)


def test_a_damaged_kernel_is_left_out(files):
    model = parse_model(shrink(files.int8.read_bytes()))
    graph = model.subgraphs[0]
    op = graph.operators[0]
    kernel = np.zeros(tuple(graph.tensors[op.inputs[1]].shape), np.int8)
    encoded = CODECS["huffman"].encode(kernel, layout_of(graph.tensors[op.inputs[1]]))
    insert_decode(model, op, replace(encoded, values=b""))
    drop_unused(model)
    found = inspect(repacked(model))
    assert len(found["layers"]) == 4
