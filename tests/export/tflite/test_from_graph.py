"""Files written from rows against files that were built, quantized and converted."""

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.interpreter import record_arena
from mobilenet_tf.deployment.tflite.from_graph import chain_file, parts, phone_file, synthetic
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.shrink import slim
from mobilenet_tf.networks.count import count, layers
from mobilenet_tf.networks.zoo import ZOO, make_network


@pytest.mark.xdist_group("converted")
def test_bytes_memory_and_operators_are_those_of_converted_files(converted):
    for (spec, fused), real in converted.items():
        made = synthetic(spec, fused)
        assert inspect(made)["ops"] == inspect(real)["ops"]
        assert len(slim(made)) == pytest.approx(len(slim(real)), rel=0.05)
        assert record_arena(slim(made)).needed == pytest.approx(
            record_arena(slim(real)).needed, rel=0.05
        )

        phone = phone_file(spec)
        assert phone["bytes"] == pytest.approx(len(real), rel=0.05)
        found = inspect(real)["peak_activation_bytes"]
        assert phone["ram"] == pytest.approx(found, rel=0.05)


@pytest.mark.xdist_group("converted")
def test_the_counters_are_right_within_5_percent(converted):
    """`cost` counts weights and memory from rows; here are the real files."""
    for (spec, fused), real in converted.items():
        counted, found = count(spec), inspect(real)
        assert counted.weight_bytes == pytest.approx(found["weight_bytes"], rel=0.05)
        if fused:
            assert counted.peak_activation_bytes == pytest.approx(
                found["peak_activation_bytes"], rel=0.05
            )
            arena = record_arena(slim(real)).activations
            assert counted.peak_activation_bytes == pytest.approx(arena, rel=0.05)


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_network_of_the_zoo(name, channels):
    spec = make_network(name, 0.5, 64, 7, channels)
    found, counted = inspect(synthetic(spec)), count(spec)
    assert found["multiply_adds"] == counted.macs
    assert found["weight_bytes"] == counted.weight_bytes
    assert found["peak_activation_bytes"] == counted.peak_activation_bytes
    pooled = [row for row in layers(spec) if row.kind != "pool"]
    assert sum(op["count"] for op in found["ops"].values()) - 1 >= len(pooled) - 1


def test_parts_make_up_the_network():
    spec = make_network("v3_small", 0.5, 96, 10)
    chain = parts(spec)
    assert len(chain) == len(spec.rows) + 2
    total = inspect(synthetic(spec))["multiply_adds"]
    assert total == sum(inspect(chain_file([part]))["multiply_adds"] for part in chain)


def test_odd_sizes_are_refused():
    with pytest.raises(UserError, match="size is 100; it must be a multiple of 32"):
        parts(make_network("v1", 0.25, 100))
