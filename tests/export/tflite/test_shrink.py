"""Files for microcontrollers are smaller, need less memory, and compute the same."""

from itertools import pairwise

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel, measure_arena, record_arena
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.memory_plan import (
    ALIGNMENT,
    Lifetime,
    arena_size,
    lifetimes,
    lower_bound,
    plan_offsets,
)
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.shrink import STEPS, shrink, shrink_steps
from mobilenet_tf.networks.zoo import make_network

SPECS = {
    "v1": make_network("v1", 0.25, 96, 2),
    "v2": make_network("v2", 0.35, 64, 5, 1),
    "v3_small": make_network("v3_small", 0.35, 64, 3),
}


@pytest.fixture(params=SPECS, ids=str)
def content(request):
    return int8_file(SPECS[request.param], fuse_hard_swish=False)


@pytest.fixture
def inputs(content):
    shape = TFLiteModel(content).input.shape[1:]
    noise = np.random.default_rng(0).integers(-28, 28, (3, *shape))
    return (noise + np.array([-100, 0, 99]).reshape(3, 1, 1, 1)).astype(np.int8)


def test_every_step_keeps_the_results(content, inputs):
    expected = MicroModel(content).run(inputs)
    assert len(np.unique(expected, axis=0)) > 1, "the network must tell pictures apart"
    for name, stage in shrink_steps(content):
        np.testing.assert_array_equal(MicroModel(stage).run(inputs), expected, err_msg=name)


@pytest.mark.xdist_group("converted")
def test_visual_wake_words_fit_and_every_step_helps(converted):
    """V1 0.25 at 96x96, 2 classes, as converted: the class of MLPerf Tiny's 333,288 bytes."""
    stages = shrink_steps(converted[SPECS["v1"], True])
    assert [name for name, _ in stages[1:]] == [name for name, _ in STEPS]
    sizes = [len(stage) for _, stage in stages]
    assert all(later < sooner for sooner, later in pairwise(sizes[:-1])), sizes
    assert sizes[-1] <= 300_000
    assert measure_arena(stages[-1][1]).needed <= 100_000


def test_the_plan_is_what_the_interpreter_uses(content):
    small = shrink(content)
    alive = list(lifetimes(parse_model(small)).values())
    assert (
        record_arena(small).activations
        == arena_size(alive, plan_offsets(alive))
        == lower_bound(alive)
    )


def test_the_plan_beats_the_interpreters_own():
    stages = dict(shrink_steps(int8_file(SPECS["v1"])))
    before = record_arena(stages["RESHAPE before SOFTMAX"])
    after = record_arena(stages["memory plan added"])
    assert (before.activations, after.activations) == (73_728, 55_296)
    assert before.persistent == after.persistent


def test_plans_are_valid_on_anything():
    random = np.random.default_rng(3)
    for _ in range(20):
        starts = random.integers(0, 30, 25)
        alive = [
            Lifetime(int(size), int(start), int(start + length))
            for size, start, length in zip(
                random.integers(1, 5000, 25), starts, random.integers(0, 6, 25), strict=True
            )
        ]
        offsets = plan_offsets(alive)
        assert all(at % ALIGNMENT == 0 for at in offsets)
        for i, one in enumerate(alive):
            for j, other in enumerate(alive[:i]):
                apart = (
                    offsets[i] >= offsets[j] + other.aligned_size
                    or offsets[j] >= offsets[i] + one.aligned_size
                )
                assert apart or not one.overlaps(other)
        assert arena_size(alive, offsets) <= 1.15 * lower_bound(alive)


def test_an_arena_that_was_measured_is_enough_and_less_is_not():
    small = shrink(int8_file(SPECS["v1"]))
    needed = measure_arena(small).needed
    MicroModel(small, needed)
    with pytest.raises(UserError, match="refuses the model"):
        MicroModel(small, needed - ALIGNMENT)


def test_fusing_gives_hard_swish_and_the_same_answers():
    plain = int8_file(SPECS["v3_small"], fuse_hard_swish=False)
    fused = fuse_hard_swish(plain)
    ops = inspect(fused)["ops"]
    count = len([row for row in SPECS["v3_small"].backbone[1:-1] if row.activation == "hard_swish"])
    # Expansion and depthwise of each such row, the stem, the features and the hidden layer.
    assert ops["HARD_SWISH"]["count"] == 2 * count + 3
    assert ops["ADD"]["count"] == inspect(int8_file(SPECS["v3_small"]))["ops"]["ADD"]["count"]
    assert record_arena(shrink(fused)).needed < record_arena(shrink(plain)).needed


def test_fusing_keeps_the_signature_of_the_file():
    """LiteRT's newer interface refuses a file whose signature names tensors that are gone."""
    model = parse_model(int8_file(SPECS["v3_small"], fuse_hard_swish=False))
    graph = model.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
    signature.inputs[0].tensorIndex, signature.outputs[0].tensorIndex = (
        int(graph.inputs[0]),
        int(graph.outputs[0]),
    )
    model.signatureDefs = [signature]
    fused = parse_model(fuse_hard_swish(pack(model)))
    (found,), ends = fused.signatureDefs, fused.subgraphs[0]
    assert [found.inputs[0].tensorIndex, found.outputs[0].tensorIndex] == [
        *ends.inputs,
        *ends.outputs,
    ]
    assert ends.outputs[0] < len(ends.tensors) < len(graph.tensors)


def test_fusing_leaves_other_networks_alone():
    plain = int8_file(SPECS["v2"])
    assert fuse_hard_swish(plain) is plain
