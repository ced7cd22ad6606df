"""SSDLite heads: published counts, feature maps, and every reader of graphs with many outputs."""

from dataclasses import replace

import numpy as np
import pytest
import tomli_w

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import parse_toml
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.count import count, layers
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.ssdlite import Structure, ssdlite
from mobilenet_tf.networks.zoo import ZOO, make_network

COCO = 90
PAPERS = Structure(background=True)
SMALL = ssdlite(make_network("v3_small", 0.35, 96), 6, PAPERS)


# Kernels alone, in millions, and millions of multiply-adds, of the detectors of TensorFlow's Object
# Detection API at 320 pixels with 90 classes; and what V3 Table 6 and V2 Table 6 print.
@pytest.mark.parametrize(
    ("name", "alpha", "options", "kernels", "macs", "printed"),
    [
        ("v1", 1.0, {}, 5.207, 1322, None),
        ("v2", 1.0, {}, 4.45, 804, None),
        ("v2", 0.35, {"shrunk": True}, 0.926, 167, (0.93, 0.16)),
        ("v2", 0.5, {"shrunk": True}, 1.533, 272, (1.54, 0.27)),
        ("v3_large", 1.0, {}, 4.96, 613, (4.97, 0.62)),
        ("v3_large", 1.0, {"halved": True}, 3.21, 507, (3.22, 0.51)),
        ("v3_small", 1.0, {}, 2.49, 210, (2.49, 0.21)),
        ("v3_small", 1.0, {"halved": True}, 1.76, 162, (1.77, 0.16)),
    ],
)
def test_published_counts(name, alpha, options, kernels, macs, printed):
    network = ssdlite(make_network(name, alpha, 320), COCO, replace(PAPERS, **options))
    graph = lower(network)
    weights = sum(map(graph.weights, graph)) / 1e6
    assert weights == pytest.approx(kernels, rel=2e-3)
    assert count(network).macs / 1e6 == pytest.approx(macs, rel=3e-3)
    if printed:
        assert round(count(network).plain_parameters / 1e6, 2) == printed[0]
        assert count(network).macs / 1e9 == pytest.approx(printed[1], abs=0.01)


def test_v1_and_v2_with_80_classes():
    networks = [ssdlite(make_network(name, 1.0, 320), 80, PAPERS) for name in ("v1", "v2")]
    kernels = [sum(map(lower(network).weights, lower(network))) / 1e6 for network in networks]
    assert kernels == pytest.approx([5.06, 4.28], abs=0.005)
    # V2, Table 6
    assert [round(count(network).plain_parameters / 1e6, 1) for network in networks] == [5.1, 4.3]


@pytest.mark.parametrize(
    ("name", "source", "channels"),
    [
        ("v1", "block_11/project", 512),
        ("v2", "block_14/expand", 576),
        ("v3_large", "block_13/expand", 672),
        ("v3_small", "block_9/expand", 288),
    ],
)
def test_the_first_map_is_the_papers(name, source, channels):
    graph = lower(ssdlite(make_network(name, 1.0, 320), COCO, PAPERS))
    first = graph[graph["boxes_1_depthwise"].inputs[0]]
    assert (first.name, first.shape) == (source, (20, 20, channels))
    sides = [op.shape[0] for op in graph.outputs[::2]]
    assert sides == [20, 10, 5, 3, 2, 1]
    assert [op.shape[2] for op in graph.outputs[:4]] == [3 * 4, 3 * 91, 6 * 4, 6 * 91]


@pytest.mark.parametrize("name", ZOO)
def test_every_backbone_carries_one(name):
    for first in (8, 16):
        network = ssdlite(
            make_network(name, 0.5, 64), 6, Structure(first_stride=first, halved=True)
        )
        graph = lower(network)
        assert [graph.strides[op.name] for op in graph.outputs[:3]] == [first, first, 2 * first]
        assert network.classes == 6
        assert lower(network.with_classes(7)).outputs[1].shape[2] == 3 * 7
        assert Network.from_dict(parse_toml(tomli_w.dumps(network.to_dict()), "a")) == network


def test_outputs_stay_in_memory():
    rows = layers(SMALL)
    outputs = sum(int(np.prod(op.shape)) for op in lower(SMALL).outputs)
    assert rows[-1].live_bytes >= outputs
    # Those of a classifier with one output are what they were.
    assert layers(make_network("v2", 0.35, 96))[-1].live_bytes == 2000


def test_parts_are_cut_where_one_tensor_passes():
    graph, backbone = lower(SMALL), lower(make_network("v3_small", 0.35, 96))
    parts = graph.parts()
    assert [part.key for part in parts[:-1]] == [part.key for part in backbone.parts()[:9]]
    assert parts[-1].ops[1].name == "block_9/expand"
    assert parts[-1].outputs == graph.outputs
    assert sum(len(part) - 1 for part in parts) == len(graph) - 1


def test_an_int8_file_has_every_output():
    from ai_edge_litert.interpreter import Interpreter

    content, graph = int8_file(SMALL), lower(SMALL)
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.invoke()
    shapes = [tuple(facts["shape"][1:]) for facts in interpreter.get_output_details()]
    assert shapes == [op.shape for op in graph.outputs]
    facts = inspect(content)
    assert facts["float_tensors"] == 0
    # Joined, boxes and scores would share one scale, which is too coarse for one of them.
    assert not {"CONCATENATION", "RESHAPE"} & set(facts["ops"])
    assert all(one["scale"] for one in facts["outputs"])
    plain = ssdlite(make_network("v2", 0.35, 96), 6, PAPERS)
    assert inspect(int8_file(plain))["delegate"]["partitions"] == 1


def test_a_keras_model_has_every_output():
    from mobilenet_tf.networks.keras_model import build_network

    model, graph = build_network(SMALL), lower(SMALL)
    assert [shape[1:] for shape in model.output_shape] == [op.shape for op in graph.outputs]
    assert model.count_params() == count(SMALL).parameters


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anchors": (3, 6)}, "anchors has 2 numbers; it must have one for each of the 4"),
        ({"anchors": (3, 6, 6, 6, 6, 0)}, "anchors is 0"),
        ({"extras": ("a",)}, "extras is 'a'"),
        ({"first_stride": 12}, "first_stride is 12; the strides of this backbone are 1, 2, 4, 8"),
    ],
)
def test_other_values_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        lower(replace(SMALL, head=(replace(SMALL.head[0], **changes),)))
