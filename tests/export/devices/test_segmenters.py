"""Segmenters on devices: what their two more operations, resizing and dilation, cost there."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from mobilenet_tf.deployment.devices.ethos_u import compile_npu
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.tflite.from_graph import graph_file, int8_file
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.lraspp import LRASPP, segmenter
from mobilenet_tf.networks.zoo import make_network


@pytest.mark.parametrize("npu", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
def test_vela_leaves_no_operator_on_the_cpu(npu):
    pytest.importorskip("ethosu.vela")
    network = segmenter(make_network("v2", 0.35, (64, 96)), LRASPP(5, 32, low_stride=4))
    _, found = compile_npu(int8_file(network), npu)
    assert found["ops_on_npu"] == found["ops"]


SOURCE = Op("input", "source", (), (8, 12, 16))
OPERATIONS = {
    "enlarged": Op("upsample", "large", ("source",), (16, 24, 16)),
    "dilated": Op(
        "depthwise",
        "wide",
        ("source",),
        SOURCE.shape,
        kernel=(3, 3),
        padding=((2, 2), (2, 2)),
        activation="relu6",
        dilation=2,
    ),
}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_micro_computes_what_litert_computes(kind):
    content = graph_file(Graph((SOURCE, OPERATIONS[kind])))
    inputs = np.random.default_rng(0).integers(-128, 128, (3, *SOURCE.shape)).astype(np.int8)
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    for one, micro in zip(inputs, MicroModel(shrink(content)).run(inputs), strict=True):
        interpreter.set_tensor(source["index"], one[None])
        interpreter.invoke()
        expected = interpreter.get_tensor(result["index"])[0].astype(int)
        assert expected.std() > 10
        assert np.abs(expected - micro).max() <= 1
