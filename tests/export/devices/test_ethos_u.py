"""Arm's own compiler takes every network whole."""

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.ethos_u import NPUS, compile_npu
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.zoo import ZOO, make_network
from mobilenet_tf.tasks.registry import TASKS
from tests.slow import USUAL, slow_but


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
def test_every_operator_of_every_network_runs_on_the_npu(name):
    spec = make_network(name, 0.5, 96, 10)
    compiled, estimate = compile_npu(int8_file(spec), "ethos-u55-128")
    assert estimate["ops_on_npu"] == estimate["ops"] > 15
    assert len(parse_model(compiled).subgraphs[0].operators) == 1
    # The pooling is counted too.
    assert count(spec).macs <= estimate["macs"] <= 1.1 * count(spec).macs


@pytest.mark.parametrize("name", TASKS)
def test_every_operator_of_every_task_runs_on_the_npu(name):
    task = TASKS[name]()
    network = task.framed(task.with_head(make_network("v3_small", 0.5, 96), 5))
    estimate = compile_npu(int8_file(network), "ethos-u55-128")[1]
    assert estimate["ops_on_npu"] == estimate["ops"] > 15


def test_every_configuration_takes_all_of_it():
    spec = make_network("v1", 0.25, 96, 2)
    estimates = {npu: compile_npu(int8_file(spec), npu)[1] for npu in NPUS}
    for found in estimates.values():
        assert found["ops_on_npu"] == found["ops"]
        seconds = found["cycles"] / found["clock_hz"]
        assert found["milliseconds"] == pytest.approx(seconds * 1e3)
        assert found["flash_bytes"] >= 0.8 * count(spec).weight_bytes
        assert found["sram_bytes"] >= count(spec).peak_activation_bytes
    for family in ("u55", "u65", "u85"):
        cycles = [found["cycles"] for npu, found in estimates.items() if family in npu]
        assert cycles == sorted(cycles, reverse=True), "more multipliers, fewer cycles"


@pytest.mark.xdist_group("converted")
def test_a_converted_file_goes_whole_and_fusing_saves_cycles(converted):
    plain = next(file for (spec, fused), file in converted.items() if not fused)
    before = compile_npu(plain, "ethos-u55-128")[1]
    after = compile_npu(fuse_hard_swish(plain), "ethos-u55-128")[1]
    for estimate in (before, after):
        assert estimate["ops_on_npu"] == estimate["ops"]
    assert after["cycles"] < before["cycles"]
    assert after["sram_bytes"] <= before["sram_bytes"]


def test_what_vela_cannot_take_stays_visible(files):
    """A float file: nothing of it runs on the NPU, and the estimate says so."""
    estimate = compile_npu(files.float32.read_bytes(), "ethos-u55-128")[1]
    assert estimate["ops_on_npu"] < estimate["ops"]


def test_errors_are_one_sentence():
    with pytest.raises(UserError, match="The NPU is 'ethos-u55'; it must be one of ethos-u55-32"):
        compile_npu(b"", "ethos-u55")
    with pytest.raises(UserError, match="Vela refuses the model for ethos-u55-128"):
        compile_npu(b"no model", "ethos-u55-128")
