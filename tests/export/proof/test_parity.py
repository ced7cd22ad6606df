"""The trained network against its file: networks of every kind, real images."""

import numpy as np
import tf_keras as keras
from ai_edge_litert.schema_py_generated import BuiltinOperator

from mobilenet_tf.compression.quantized_layer import integer_bias
from mobilenet_tf.deployment.proof.parity import distance, parity
from mobilenet_tf.deployment.proof.tensors import file_tensors, model_tensors
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.parse import op_codes, parse_model
from mobilenet_tf.deployment.tflite.tensor_info import tensor_info
from mobilenet_tf.tasks.classification.task import Classification


def test_the_file_is_all_integers(int8):
    facts = inspect(int8.content)
    assert facts["float_tensors"] == 0
    assert set(facts["tensors"]) == {"int8", "int32", "uint8"}
    # With uint8 input and output the zero point changes at both, and nowhere between.
    assert facts["quantize_ops"] == {"boundary": 2, "inside": 0, "weights": 0}
    assert facts["tensors"]["uint8"] == 2
    assert facts["inputs"][0]["shape"] == [1, 48, 48, 3]
    for op in ("SHAPE", "STRIDED_SLICE", "PACK"):
        assert op not in facts["ops"]
    # Only where V1 pads an odd map, as its published weights want it.
    padded = [x for x in int8.deployed.layers if isinstance(x, keras.layers.ZeroPadding2D)]
    assert facts["ops"].get("PAD", {"count": 0})["count"] == len(padded)
    assert not any("HARD_SWISH" in op for op in facts["ops"])
    for layer in facts["layers"]:
        assert layer["per_channel"], layer["name"]
        assert layer["channel_max"]["median"] == 127, layer["name"]


def test_files_written_from_graphs_have_the_same_operators(int8):
    found = inspect(int8.content)["ops"]
    made = inspect(int8_file(int8.spec, fuse_hard_swish=False))["ops"]
    assert made | {"QUANTIZE": found["QUANTIZE"]} == found


def test_raw_pixels_are_the_quantized_input(int8):
    file = TFLiteModel(int8.content, mean=128.0, std=127.5)
    assert file.pixels_are_inputs
    assert file.input.zero_point == 128
    np.testing.assert_allclose(file.input.scale, 1 / 127.5, rtol=1e-6)


def test_one_delegate_partition(int8):
    delegate = inspect(int8.content)["delegate"]
    assert delegate["partitions"] == 1
    assert set(delegate["left_out"]) == {"QUANTIZE", "SOFTMAX"}


def test_the_file_computes_what_qat_computes(int8):
    file = TFLiteModel(int8.content)
    found = file.run_raw(int8.pixels)
    agreement = parity(Classification(), file.scores, int8.qat(int8.images).numpy(), found)
    assert agreement["within_1_lsb"] >= 0.995
    assert agreement["top1_agreement"] == 1.0
    # The classes must come apart, or agreement would mean nothing.
    assert found.max(axis=1).std() > 10


def test_every_tensor_inside_is_the_same(int8):
    """A difference of one step in the first block would be dozens in the last."""
    file = TFLiteModel(int8.content, preserve_tensors=True)
    pictures, images = int8.pixels[:6], int8.images[:6]
    found = file_tensors(int8.qat, file, pictures)
    assert len(found) > 0.9 * sum(layer.quantize_config.rounds for layer in int8.qat.layers[1:])
    expected = model_tensors(int8.qat, list(found), images)
    for name, (info, values) in found.items():
        steps = distance(info, expected[name], values)
        assert (steps <= 1).mean() >= 0.999, name
        assert steps.max() <= 2, name


def test_biases_are_the_same_integers(int8):
    """One step of one bias flips a rounding here and there, which spreads from block to block."""
    model = parse_model(int8.content)
    graph = model.subgraphs[0]
    found = [
        np.frombuffer(model.buffers[graph.tensors[op.inputs[2]].buffer].data, np.int32)
        for op in graph.operators
        if len(op.inputs) == 3
    ]
    layers = [layer for layer in int8.qat.layers if getattr(layer, "_weight_vars", None)]
    for layer, bias in zip(layers, found, strict=True):
        np.testing.assert_array_equal(integer_bias(layer), bias, layer.name)


def test_no_mean_lies_between_two_integers(int8):
    """XNNPACK's versions round such means differently: a phone's scores would not be Python's."""
    model = parse_model(int8.content)
    graph = model.subgraphs[0]
    kinds = op_codes(model)
    means = [op for op in graph.operators if kinds[op.opcodeIndex] == BuiltinOperator.MEAN]
    # At this size V1's last map is one pixel, which has no mean.
    assert means or int8.name == "v1"
    for op in means:
        source, mean = (tensor_info(graph.tensors[i]) for i in (op.inputs[0], op.outputs[0]))
        count = source.shape[1] * source.shape[2]
        sums = np.arange(-255 * count, 255 * count + 1)
        steps = sums * (source.scale / (count * mean.scale))
        assert np.abs(steps - np.floor(steps) - 0.5).min() > 1e-4
