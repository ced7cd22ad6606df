"""R-ASPP and LR-ASPP heads: published counts, dilation, and every reader of graphs."""

import pytest
import tomli_w

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import parse_toml
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.lraspp import LRASPP, RASPP, segmenter
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network

CITYSCAPES = (1024, 2048)
CLASSES = 19
# Their unpadded maps do not halve exactly.
UNPADDED = ("squeezenet_1_0", "squeezenet_1_1")


# V3 Table 7 and 8; parameters in millions, as printed or as counted from the released structure.
@pytest.mark.parametrize(
    ("name", "head", "halved", "parameters"),
    [
        ("v3_large", LRASPP(CLASSES), True, 1.507),
        ("v3_large", LRASPP(CLASSES, 256), True, 1.633),
        ("v3_large", RASPP(CLASSES), True, 1.76),
        ("v3_large", RASPP(CLASSES), False, 3.60),
        ("v3_small", LRASPP(CLASSES), True, 0.469),
        ("v2", RASPP(CLASSES), False, 2.11),
    ],
)
def test_published_parameters(name, head, halved, parameters):
    network = segmenter(make_network(name, 1.0, CITYSCAPES), head, halved=halved)
    assert count(network).trainable_parameters / 1e6 == pytest.approx(parameters, rel=0.005)


def test_published_multiply_adds():
    network = segmenter(make_network("v3_large", 1.0, CITYSCAPES), LRASPP(CLASSES), halved=True)
    graph, macs = lower(network), count(network).macs
    assert macs / 1e9 == pytest.approx(9.37, rel=0.01)
    # DeepLab's order: enlarge the features, then compute logits, four times as many.
    logits = graph["high_logits"]
    later = 3 * logits.shape[0] * logits.shape[1] * graph.weights(logits)
    assert (macs + later) / 1e9 == pytest.approx(9.37, rel=0.001)
    assert (graph.output.shape, graph.strides[graph.output.name]) == ((128, 256, CLASSES), 8)


@pytest.mark.parametrize(
    ("name", "tap", "channels"),
    [("v3_large", "block_6/depthwise", 120), ("v3_small", "block_3/depthwise", 88)],
)
def test_the_finer_map_is_deeplabs(name, tap, channels):
    graph = lower(segmenter(make_network(name), LRASPP(CLASSES)))
    found = graph[graph["low_logits"].inputs[0]]
    assert (found.name, found.shape[2]) == (tap, channels)


def test_the_halved_last_stage_is_the_papers():
    graph = lower(segmenter(make_network("v3_large"), LRASPP(CLASSES), halved=True))
    depthwise = [graph[f"block_{block}/depthwise"] for block in (13, 14, 15)]
    assert [op.shape for op in depthwise] == [(14, 14, 336), (14, 14, 480), (14, 14, 480)]
    assert [(op.stride, op.dilation) for op in depthwise] == [(1, 1), (1, 2), (1, 2)]
    assert graph["features"].shape == (14, 14, 480)


@pytest.mark.parametrize("name", ZOO)
def test_every_backbone_carries_one(name):
    backbone = make_network(name, 0.5, (64, 96))
    for head in (LRASPP(6, 64, 32), LRASPP(6), RASPP(6)):
        network = segmenter(backbone, head, halved=True)
        if name in UNPADDED and isinstance(head, LRASPP):
            with pytest.raises(UserError, match="halves its maps"):
                lower(network)
            continue
        graph = lower(network)
        stride = graph.strides[graph.output.name]
        assert stride == getattr(head, "low_stride", 16)
        if name not in UNPADDED:
            assert graph.output.shape == (64 // stride, 96 // stride, 6)
            assert max(graph.strides.values()) == head.output_stride
        assert network.classes == 6
        assert lower(network.with_classes(7)).output.shape[2] == 7
        assert Network.from_dict(parse_toml(tomli_w.dumps(network.to_dict()), "a")) == network


def test_weights_do_not_depend_on_the_output_stride():
    coarse, fine, finest = (
        lower(segmenter(make_network("v2", 0.5, 96), LRASPP(3, output_stride=stride)))
        for stride in (32, 16, 8)
    )
    expected = [(op.name, coarse.weights(op)) for op in coarse if op.has_weights]
    for graph, dilations in ((coarse, [1, 1]), (fine, [1, 2]), (finest, [2, 4])):
        assert [(op.name, graph.weights(op)) for op in graph if op.has_weights] == expected
        # Of the block that strides from 16 to 32, and of the one after it.
        depthwise = [graph[f"block_{block}/depthwise"] for block in (14, 15)]
        assert [op.dilation for op in depthwise] == dilations


@pytest.mark.parametrize(
    ("size", "head", "message"),
    [
        (100, LRASPP(3), "size is 100x100"),
        ((96, 112), LRASPP(3, output_stride=32), "multiples of 32"),
    ],
)
def test_sides_must_be_multiples_of_the_stride(size, head, message):
    with pytest.raises(UserError, match=message):
        lower(segmenter(make_network("v3_small", 0.5, size), head))


def test_strides_are_checked():
    with pytest.raises(UserError, match="output_stride is 12; it must be one of 8, 16, 32"):
        LRASPP(3, output_stride=12)
    with pytest.raises(UserError, match="low_stride is 5"):
        LRASPP(3, low_stride=5)


def test_an_int8_file_is_one_partition():
    for head in (LRASPP(6, low_stride=4), RASPP(6)):
        network = segmenter(make_network("v3_small", 0.35, (64, 96)), head)
        facts = inspect(int8_file(network, fuse_hard_swish=False))
        assert (facts["float_tensors"], facts["delegate"]["partitions"]) == (0, 1)
        assert facts["delegate"]["left_out"] == {}
        assert facts["ops"].get("RESIZE_BILINEAR", {"count": 0})["count"] == (
            2 if isinstance(head, LRASPP) else 0
        )
