"""MobileNetV4 and MnasNet layer by layer, in the order that a weights file must have."""

import numpy as np
import pytest

from mobilenet_tf import build, load_weights
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import InvertedResidual
from mobilenet_tf.networks.zoo import make_network

# docs/networks.md has the same rules. Kernels are (height, width, input, output) channels, those of
# depthwise convolutions (height, width, channels, 1).
CONV_S = {
    "stem": (3, 3, 3, 32),
    "block_1/convolution": (3, 3, 32, 32),
    "block_2/convolution": (1, 1, 32, 32),
    "block_3/convolution": (3, 3, 32, 96),
    "block_4/convolution": (1, 1, 96, 64),
    "block_5/start": (5, 5, 64, 1),
    "block_5/expand": (1, 1, 64, 192),
    "block_5/depthwise": (5, 5, 192, 1),
    "block_5/project": (1, 1, 192, 96),
    "block_6/expand": (1, 1, 96, 192),
    "block_6/depthwise": (3, 3, 192, 1),
    "block_6/project": (1, 1, 192, 96),
    "block_10/start": (3, 3, 96, 1),
    "block_10/expand": (1, 1, 96, 384),
    "block_10/project": (1, 1, 384, 96),
    "block_11/start": (3, 3, 96, 1),
    "block_11/depthwise": (3, 3, 576, 1),
    "features": (1, 1, 128, 960),
    "hidden": (1, 1, 960, 1280),
    "classifier": (1, 1, 1280, 10),
}
MNASNET = {
    "stem": (3, 3, 3, 32),
    "block_1/depthwise": (3, 3, 32, 1),
    "block_1/project": (1, 1, 32, 16),
    "block_4/expand": (1, 1, 24, 72),
    "block_4/depthwise": (5, 5, 72, 1),
    "block_4/se/reduce": (1, 1, 72, 6),  # a quarter of the block's 24 input channels
    "block_4/se/expand": (1, 1, 6, 72),
    "block_4/project": (1, 1, 72, 40),
    "features": (1, 1, 320, 1280),
    "classifier": (1280, 10),
}


@pytest.mark.parametrize(
    ("name", "shapes"), [("v4_conv_s", CONV_S), ("mnasnet_a1", MNASNET)], ids=["v4", "mnasnet"]
)
def test_layers_have_the_shapes_of_the_table_and_load_in_its_order(name, shapes, tmp_path):
    model = build(name, size=64, classes=10)
    weighted = [layer.name for layer in model.layers if layer.weights]
    found = {n: tuple(model.get_layer(n).weights[0].shape) for n in weighted}
    assert {n: found[n] for n in shapes} == shapes
    assert [n for n in weighted if n in shapes] == list(shapes)

    model.save_weights(tmp_path / "weights.h5")
    again = build(name, size=64, classes=10)
    load_weights(again, tmp_path / "weights.h5")
    image = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    np.testing.assert_array_equal(again(image), model(image))

    # For other classes, all but the classifier is kept; the head's normalization is no backbone.
    other = build(name, size=64, classes=3)
    load_weights(other, tmp_path / "weights.h5")
    for kept in weighted[:-1]:
        for a, b in zip(
            other.get_layer(kept).get_weights(), model.get_layer(kept).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "size", "sides"),
    [
        ("v4_conv_s", 224, {2: 112, 4: 56, 8: 28, 16: 14, 32: 7}),
        ("v4_conv_m", 256, {2: 128, 4: 64, 8: 32, 16: 16, 32: 8}),
        ("v4_conv_l", 384, {2: 192, 4: 96, 8: 48, 16: 24, 32: 12}),
    ],
)
def test_maps_halve_at_the_second_depthwise_convolution(name, size, sides):
    graph = lower(make_network(name, size=size))
    assert {stride: op.shape[0] for stride, op in graph.features().items()} == sides
    halving = [op for op in graph if op.kind == "depthwise" and op.stride == 2]
    assert len(halving) == {"v4_conv_s": 2, "v4_conv_m": 3, "v4_conv_l": 3}[name]
    assert all(op.name.endswith("/depthwise") for op in halving)
    for op in graph:
        signed = op.name.endswith(("/start", "/project"))
        if op.kind in ("convolution", "depthwise") and op.block != "head":
            assert op.activation == (None if signed else "relu"), op.name


def test_the_hidden_layer_of_v4_only_grows():
    widths = [lower(make_network("v4_conv_s", alpha))["hidden"].shape[2] for alpha in (0.5, 1, 1.5)]
    assert widths == [1280, 1280, 1920]


def test_mnasnets_first_block_has_no_shortcut_at_any_width():
    rows = [make_network("mnasnet_a1", alpha).backbone[1] for alpha in (0.1, 0.35, 1.0)]
    assert all(isinstance(row, InvertedResidual) and not row.shortcut for row in rows)
    assert not [op for op in lower(make_network("mnasnet_a1", 0.1)) if op.name == "block_1/add"]
