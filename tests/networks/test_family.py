"""A new kind of row is one class and one lowering; everything else follows."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.from_graph import graph_file, int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import lower, lowering
from mobilenet_tf.networks.rows import (
    Classifier,
    Convolution,
    InvertedResidual,
    Network,
    Pooling,
    Row,
    row_kind,
)
from mobilenet_tf.networks.zoo import make_network


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


# V2, Figure 6, and other blocks that the papers compare with theirs.
VARIANTS = {
    "linear": {},
    "activated projection": {"projection_activation": "relu6"},
    "no shortcut": {"shortcut": False},
    "squeeze-and-excite": {"se": True},
    "narrow squeeze-and-excite with a sigmoid": {"se": True, "se_width": 2, "se_gate": "sigmoid"},
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_variants_of_the_bottleneck_are_data(changes):
    row = replace(InvertedResidual(3, 24, 8, False, "relu6", 1), **changes)
    network = replace(NETWORK, backbone=(NETWORK.backbone[0], row))
    assert Network.from_dict(network.to_dict()) == network
    graph = lower(network)
    assert graph["block_1/project"].activation == row.projection_activation
    assert ("block_1/add" in {op.name for op in graph}) == row.shortcut
    model, counted = build_network(network), count(network)
    assert model.count_params() == counted.parameters
    found = inspect(int8_file(network))
    assert found["weight_bytes"] == counted.weight_bytes
    assert found["peak_activation_bytes"] == counted.peak_activation_bytes
    assert inspect(int8_file(network, fuse_hard_swish=False))["delegate"]["partitions"] == 1


def test_rows_without_newer_fields_are_read():
    """As runs have kept them that were made before these fields existed."""
    network = make_network("v3_small", 0.35, 64)
    values = network.to_dict()
    newer = {"projection_activation", "shortcut", "se_width", "se_gate", "padded", "norm"}
    for part in ("backbone", "head"):
        values[part] = [{k: v for k, v in row.items() if k not in newer} for row in values[part]]
    assert Network.from_dict(values) == network


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("shortcut", 1, "shortcut is 1; it must be true or false"),
        ("se_width", 0, "se_width is 0; it must be a whole number above 0"),
        ("se_gate", "relu", "se_gate is 'relu'; it must be one of hard_sigmoid, sigmoid"),
        ("projection_activation", "gelu", "projection_activation is 'gelu'; it must be one of"),
        ("activation", None, "activation is None; it must be one of"),
    ],
)
def test_wrong_fields_of_rows_are_named(field, value, said):
    with pytest.raises(UserError, match=said):
        replace(InvertedResidual(3, 24, 8, False, "relu6", 1), **{field: value})


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
