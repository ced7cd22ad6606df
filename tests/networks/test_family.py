"""A new kind of row is one class and one lowering; everything else follows."""

from dataclasses import dataclass, replace

import numpy as np

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.from_graph import graph_file, int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import lower, lowering
from mobilenet_tf.networks.rows import Classifier, Convolution, Network, Pooling, Row, row_kind


@row_kind("test_twin")
@dataclass(frozen=True)
class Twin(Row):
    """Two depthwise kernels side by side, added: a block that no paper has."""

    out: int
    stride: int


@lowering(Twin)
def _twin(graph, x, row):
    wide = graph.depthwise(x, "wide", 5, stride=row.stride, activation="relu")
    narrow = graph.depthwise(x, "narrow", 3, stride=row.stride, activation="hard_swish")
    return graph.convolution(graph.add(wide, narrow, "add"), "project", row.out)


NETWORK = Network(
    InputSpec((48, 64)),
    (Convolution("stem", 3, 8, "hard_swish", 2), Twin(16, 2), Twin(24, 1)),
    (Pooling(), Classifier(5)),
    name="twins",
)


def test_config_keeps_it():
    assert Network.from_dict(NETWORK.to_dict()) == NETWORK


def test_keras_model_counter_and_int8_file_agree():
    model, counted = build_network(NETWORK), count(NETWORK)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 48, 64, 3)).astype("float32")
    np.testing.assert_allclose(model(images).numpy().sum(axis=1), 1, rtol=1e-5)
    assert model.count_params() == counted.parameters
    found = inspect(int8_file(NETWORK))
    assert found["multiply_adds"] == counted.macs
    assert found["weight_bytes"] == counted.weight_bytes
    assert found["peak_activation_bytes"] == counted.peak_activation_bytes
    assert found["delegate"]["problem"] is None


def test_parts_and_their_keys():
    parts = lower(NETWORK).parts()
    assert [part.ops[-1].block for part in parts] == ["stem", "block_1", "block_2", "head"]
    work = sum(inspect(graph_file(part))["multiply_adds"] for part in parts)
    assert work == count(NETWORK).macs
    wider = replace(NETWORK, backbone=(*NETWORK.backbone[:-1], Twin(32, 1)))
    same = [a.key == b.key for a, b in zip(parts, lower(wider).parts(), strict=True)]
    assert same == [True, True, False, False]


def test_features_by_stride():
    features = lower(NETWORK).features()
    assert {stride: op.shape for stride, op in features.items()} == {
        2: (24, 32, 8),
        4: (12, 16, 24),
    }
