"""CMSIS-NN's scratch space, against numbers worked out by hand from its formulas."""

import pytest

from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.tflite.from_graph import graph_file, int8_file, schema
from mobilenet_tf.deployment.tflite.memory_plan import Lifetime, arena_size_with
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.graph import Graph
from mobilenet_tf.networks.lower import GraphBuilder
from mobilenet_tf.networks.rows import InvertedResidual
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.slow import USUAL, slow_but

_Op = schema.BuiltinOperator


def test_formulas():
    m4, m55 = CORES["cortex-m4"], CORES["cortex-m55"]
    # A 3x3 stem on colours: 27 values, 28 in fours; two columns of int16. In 16s: 32, four columns.
    assert m4[_Op.CONV_2D](9, 3) == 112
    assert m55[_Op.CONV_2D](9, 3) == 128
    assert (m4[_Op.CONV_2D](1, 64), m55[_Op.CONV_2D](1, 64)) == (256, 0)
    assert (m4[_Op.DEPTHWISE_CONV_2D](9, 64), m4[_Op.DEPTHWISE_CONV_2D](25, 64)) == (0, 3200)
    assert m55[_Op.DEPTHWISE_CONV_2D](9, 64) == 4464


def test_scratch_goes_into_gaps_first():
    """100 | 50 at step 0; at step 1 there is room above the 50."""
    lives, offsets = [Lifetime(96, 0, 0), Lifetime(48, 0, 1)], [0, 96]
    assert arena_size_with(lives, offsets, []) == 144
    assert arena_size_with(lives, offsets, [Lifetime(96, 1, 1)]) == 144
    assert arena_size_with(lives, offsets, [Lifetime(112, 1, 1)]) == 256
    assert arena_size_with(lives, offsets, [Lifetime(16, 0, 0)]) == 160


def test_a_part_whose_peak_is_its_depthwise_convolution():
    row = InvertedResidual(5, 16, 8, False, "relu", 1)
    builder = GraphBuilder((8, 8, 16))
    builder.append(builder.ops[0], row, "block")
    small = shrink(graph_file(Graph(tuple(builder.ops))))
    # Input and output of the 5x5 are all there is: its int16 copy comes on top.
    assert scratch_beyond(small, "cortex-m4") == 2 * 25 * 16
    assert scratch_beyond(small, "cortex-m55") == 4 * 25 * 124


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
def test_never_more_than_the_largest_request(name):
    small = shrink(int8_file(make_network(name, 0.35, 64, 2)))
    for core, most in (("cortex-m4", 25 * 2 * 576), ("cortex-m55", 4 * 25 * 124)):
        assert 0 <= scratch_beyond(small, core) <= most
