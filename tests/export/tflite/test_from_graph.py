"""Files written from graphs against files that were built, quantized and converted."""

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.interpreter import record_arena
from mobilenet_tf.deployment.tflite.from_graph import graph_file, int8_file, phone_file_size
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.count import count, layers
from mobilenet_tf.networks.graph import Graph
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.slow import USUAL, slow_but


@pytest.mark.xdist_group("converted")
def test_bytes_memory_and_operators_are_those_of_converted_files(converted):
    for (network, fused), real in converted.items():
        made = int8_file(network, fused)
        assert inspect(made)["ops"] == inspect(real)["ops"]
        assert len(shrink(made)) == pytest.approx(len(shrink(real)), rel=0.05)
        assert record_arena(shrink(made)).needed == pytest.approx(
            record_arena(shrink(real)).needed, rel=0.05
        )

        size, ram = phone_file_size(network)
        assert size == pytest.approx(len(real), rel=0.05)
        assert ram == pytest.approx(inspect(real)["peak_activation_bytes"], rel=0.05)


@pytest.mark.xdist_group("converted")
def test_the_counters_are_right_within_5_percent(converted):
    """`count` counts weights and memory from graphs; here are the real files."""
    for (network, fused), real in converted.items():
        counted, found = count(network), inspect(real)
        assert counted.weight_bytes == pytest.approx(found["weight_bytes"], rel=0.05)
        if fused:
            assert counted.peak_activation_bytes == pytest.approx(
                found["peak_activation_bytes"], rel=0.05
            )
            arena = record_arena(shrink(real)).activations
            assert counted.peak_activation_bytes == pytest.approx(arena, rel=0.05)


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
@pytest.mark.parametrize(("size", "channels"), [(64, 1), (64, 3), (97, 3), ((64, 96), 3)])
def test_every_network_of_the_zoo(name, size, channels):
    network = make_network(name, 0.5, size, 7, channels)
    found, counted = inspect(int8_file(network)), count(network)
    assert found["multiply_adds"] == counted.macs
    assert found["weight_bytes"] == counted.weight_bytes
    if "PAD" not in found["ops"]:
        assert found["peak_activation_bytes"] == counted.peak_activation_bytes
    pooled = [row for row in layers(network) if row.kind != "mean"]
    assert sum(op["count"] for op in found["ops"].values()) - 1 >= len(pooled) - 1


@pytest.mark.parametrize("name", ["v1", "v3_small"])
@pytest.mark.parametrize("size", [47, (33, 65)])
def test_odd_and_oblong_files_run(name, size):
    network = make_network(name, 0.25, size, 5)
    model = TFLiteModel(int8_file(network))
    pixels = np.random.default_rng(0).integers(0, 256, (2, *network.input.shape), dtype=np.uint8)
    assert model.run_raw(pixels).shape == (2, 5)
    # V1 pads odd sizes as if they were even, which "same" does not.
    assert ("PAD" in inspect(int8_file(network))["ops"]) == (name == "v1")


def test_parts_make_up_the_network():
    network = make_network("v3_small", 0.5, 96, 10)
    parts = lower(network).parts()
    assert len(parts) == len(network.backbone) + 1
    total = inspect(int8_file(network))["multiply_adds"]
    assert total == sum(inspect(graph_file(part))["multiply_adds"] for part in parts)


def test_equal_parts_have_one_key_whatever_their_names():
    graph = lower(make_network("v3_large", 1.0, 96, 10))
    keys = [part.key for part in graph.parts()]
    # Table 1's rows 5 and 6, and its last two, are equal; no others are.
    assert len(keys) - len(set(keys)) == 3
    wider = lower(make_network("v3_large", 1.0, 96, 11))
    assert [a.key == b.key for a, b in zip(graph.parts(), wider.parts(), strict=True)][-1] is False


def test_an_unknown_operation_is_refused():
    graph = lower(make_network("v1", 0.25, 32, 2))
    strange = Graph((*graph.ops[:-1], replace(graph.output, kind="sine")))
    with pytest.raises(UserError, match="probabilities is a sine, which has no int8 form"):
        graph_file(strange)
