"""Cutting channels and blocks: exactly what the network computes when they are zero."""

from dataclasses import replace

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.networks.channel_weights import channel_norms, cut_weights, weight_shapes
from mobilenet_tf.networks.channels import Cut, cut, narrowed, removable, widths, without
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import factorized, lower
from mobilenet_tf.networks.published.names import NORM, layer_name
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.training.masked import masked_model, masks
from tests.conftest import enliven
from tests.short import without_repeats
from tests.slow import USUAL, slow_but

ALPHA = {"v4_conv_m": 0.25, "xception": 0.1, "v1_full": 0.2}
# One of each family, and V4's with its fused blocks.
FAMILIES = (
    "v1",
    "v2",
    "v3_small",
    "v4_conv_s",
    "v4_conv_m",
    "mnasnet_a1",
    "squeezenet_1_0",
    "xception",
)


def trained(network: Network, images: np.ndarray) -> tuple[keras.Model, dict]:
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    model = build_network(network)
    enliven(model, images)
    return model, {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def zeroed(model: keras.Model, one: Cut) -> None:
    """Let the channels that a cut removes be zero wherever they are computed."""
    for op in lower(one.source):
        if not op.has_weights:
            continue
        gone = ~one.kept[op.name]
        layer = model.get_layer(layer_name(one.source.layer_names, op))
        kernel, *biases = layer.get_weights()
        if op.norm:
            norm = layer_name(one.source.layer_names, op, NORM)
            arrays = model.get_layer(norm).get_weights()
            for values in arrays[:2]:
                values[gone] = 0
            model.get_layer(norm).set_weights(arrays)
        elif op.kind == "depthwise":
            kernel[:, :, gone[:: kernel.shape[3]]] = 0
        else:
            kernel[..., gone] = 0
        for bias in biases:
            bias[gone] = 0
        layer.set_weights([kernel, *biases])


def smaller(one: Cut, weights: dict) -> keras.Model:
    model = build_network(one.network)
    for name, arrays in cut_weights(one, weights).items():
        model.get_layer(name).set_weights(arrays)
    return model


def compare(network: Network, one: Cut, model: keras.Model, weights: dict, images) -> None:
    found = smaller(one, weights)(images).numpy()
    masked = masked_model(network)
    for name, arrays in (weights | masks(one)).items():
        masked.get_layer(name).set_weights(arrays)
    whole = model(images).numpy()
    zeroed(model, one)
    wanted = model(images).numpy()
    assert np.abs(whole - wanted).max() > 1e-3  # what was removed mattered
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    np.testing.assert_allclose(masked(images).numpy(), wanted, atol=2e-5)


def halves(network: Network, kinds: slice = slice(None)) -> Network:
    """Return the network with its widths at about half, as far as its operations allow it."""
    for width in widths(network)[kinds]:
        now = next(w for w in widths(network) if w.name == width.name)
        network = narrowed(network, [(now, max(1, now.channels // 2 - 1))]) or network
    return network


@pytest.mark.parametrize("name", slow_but(USUAL, FAMILIES))
def test_a_cut_network_equals_the_one_with_zeros(name, pictures):
    """Every width of every family: expansions, bottlenecks with their residuals, head."""
    network = without_repeats(make_network(name, ALPHA.get(name, 0.35), 48, 5))
    images = network.input.normalise(pictures[:8])
    model, weights = trained(network, images)
    narrow = halves(network)
    assert sum(w.channels for w in widths(narrow)) < 0.6 * sum(w.channels for w in widths(network))
    one = cut(network, narrow, channel_norms(network, weights))
    compare(network, one, model, weights, images)


def test_squeeze_and_excite_is_cut_along():
    network = make_network("v3_small", 1.0, 48, 5)
    (width,) = (w for w in widths(network) if w.name == "block_5 expansion")
    narrow = narrowed(network, [(width, 120)])
    shapes = weight_shapes(narrow)
    assert shapes["expanded_conv_4/squeeze_excite/Conv"] == [(1, 1, 120, 32), (32,)]
    assert shapes["expanded_conv_4/squeeze_excite/Conv_1"] == [(1, 1, 32, 120), (120,)]


def test_a_factorized_network_is_cut_too(pictures):
    network = factorized(make_network("v1_full", 0.2, 48, 5), "tucker=8")
    images = network.input.normalise(pictures[:8])
    model, weights = trained(network, images)
    one = cut(network, halves(network), channel_norms(network, weights))
    compare(network, one, model, weights, images)


def test_the_channels_with_the_largest_norms_are_kept():
    network = make_network("v2", 0.35, 32, 5)
    model = build_network(network)
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    (width,) = (w for w in widths(network) if w.name == "block_4 to block_6 out")
    assert len(width.fields) == 3
    for layer in ("block_3_project", "block_4_project", "block_5_project"):
        weights[layer][0][..., :4] *= 0.5
    weights["block_5_project_BN"][0][2] = 100.0  # folded in, this channel is the strongest
    narrow = narrowed(network, [(width, 13)])
    kept = cut(network, narrow, channel_norms(network, weights)).kept
    for op in ("block_4/project", "block_5/project", "block_6/add", "block_6/project"):
        assert list(np.flatnonzero(~kept[op])) == [0, 1, 3]


@pytest.mark.parametrize("name", ["v2", "v4_conv_s"])
def test_a_block_with_a_shortcut_is_removed_exactly(name, pictures):
    network = make_network(name, ALPHA.get(name, 0.35), 48, 5)
    images = network.input.normalise(pictures[:8])
    model, weights = trained(network, images)
    block = list(removable(network))[1]
    one = without(network, block)
    assert len(one.network.backbone) == len(network.backbone) - 1
    compare(network, one, model, weights, images)


def test_blocks_without_a_shortcut_are_not_removable():
    assert list(removable(make_network("v1", 1.0, 64))) == []
    assert "block_2" not in list(removable(make_network("v2", 1.0, 64)))


def test_widths_that_change_the_operations_are_refused():
    """An expansion as wide as its input is left out of a network, and equal widths are added."""
    network = make_network("v2", 1.0, 64, 5)
    by_name = {width.name: width for width in widths(network)}
    assert narrowed(network, [(by_name["block_5 expansion"], 32)]) is None
    assert narrowed(network, [(by_name["block_11 to block_13 out"], 64)]) is None
    assert narrowed(network, [(by_name["block_5 expansion"], 40)]) is not None


def test_rows_without_declared_widths_stay_as_they_are():
    """The classifier's width is the number of classes; ties with the picture are not cut."""
    network = make_network("squeezenet_1_1", 1.0, 64, 5)
    assert not any("head" in width.name for width in widths(network))
    first = replace(network.backbone[0], out=3)
    assert widths(replace(network, backbone=(first,), head=network.head))[0].name == "stem out"


@pytest.mark.parametrize("name", ["v1", "v2", "v3_large", "v4_conv_s", "mnasnet_a1", "xception"])
def test_shapes_are_those_of_keras(name):
    network = make_network(name, ALPHA.get(name, 0.25), 48, 5)
    layers = [layer for layer in build_network(network).layers if layer.weights]
    found = {layer.name: [tuple(one.shape) for one in layer.weights] for layer in layers}
    assert weight_shapes(network) == found
