"""What the papers claim of their networks holds for ours."""

import pytest
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.networks.count import count, layers
from mobilenet_tf.networks.keras_model import HardSigmoid, HardSwish
from mobilenet_tf.networks.rows import InvertedResidual
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.slow import USUAL, slow_but

ACTIVATIONS = (keras.layers.ReLU, keras.layers.Activation, HardSigmoid, HardSwish)
BACKBONES = {name: make_network(name).backbone for name in ZOO}
BOTTLENECKS = [name for name, rows in BACKBONES.items() if isinstance(rows[1], InvertedResidual)]
PADDED = [name for name, rows in BACKBONES.items() if rows[0].padded]


def v1_pairs(spec):
    """(depthwise row, 1x1 row) of every block."""
    rows = [row for row in layers(spec) if row.name.startswith("block")]
    return list(zip(rows[::2], rows[1::2], strict=True))


def full_convolution(depthwise, pointwise):
    """Multiply-adds of the convolution that a separable pair stands for."""
    pixels = pointwise.height * pointwise.width
    return depthwise.kernel**2 * depthwise.channels * pointwise.channels * pixels


def test_separable_costs_1_over_n_plus_1_over_k2():
    """V1, 3.1: 8 to 9 times less for 3x3 kernels, which is so from 72 channels on."""
    pairs = v1_pairs(make_network("v1"))
    assert len(pairs) == 13
    for depthwise, pointwise in pairs:
        ratio = (depthwise.macs + pointwise.macs) / full_convolution(depthwise, pointwise)
        assert ratio == pytest.approx(1 / pointwise.channels + 1 / depthwise.kernel**2)
        assert (8 <= 1 / ratio <= 9) == (pointwise.channels >= 72)


def test_v1_costs_8_55_times_less_than_its_full_convolution_twin():
    """V1, Table 4: 4866 against 569 million; the first is without the classifier."""
    spec = make_network("v1")
    twin = layers(spec)[0].macs + sum(full_convolution(*pair) for pair in v1_pairs(spec))
    assert twin / 1e6 == pytest.approx(4866.3, abs=0.05)
    assert count(spec).macs / 1e6 == pytest.approx(569, abs=0.5)
    assert twin / count(spec).macs == pytest.approx(8.55, abs=0.01)


def test_alpha_scales_1x1_convolutions_by_its_square_and_depthwise_by_itself():
    """V1, 3.3: k*k*aM*F*F + aM*aN*F*F."""
    whole, half = v1_pairs(make_network("v1")), v1_pairs(make_network("v1", alpha=0.5))
    for (depthwise, pointwise), (thin_depthwise, thin_pointwise) in zip(whole, half, strict=True):
        assert thin_depthwise.macs / depthwise.macs == 0.5
        assert thin_pointwise.macs / pointwise.macs == 0.25


@pytest.mark.parametrize("name", PADDED)
def test_size_scales_macs_by_its_square_and_parameters_not_at_all(name):
    """V1, 3.4; operations on the pooled pixel do not depend on the size."""

    def maps(size):
        return sum(row.macs for row in layers(make_network(name, size=size)) if row.height > 1)

    assert maps(128) / maps(64) == 4
    assert count(make_network(name, size=64)).parameters == count(make_network(name)).parameters


def readers(layer):
    return [node.layer for node in layer.outbound_nodes]


@pytest.mark.parametrize("name", slow_but(USUAL, BOTTLENECKS))
def test_bottlenecks_are_linear_and_residuals_where_they_fit(name):
    """V2, 3.2 and 3.3: no activation behind a projection; a sum iff stride 1 and equal widths."""
    model = build(name, 0.5, 64)
    network = model.network
    blocks = [row for row in network.backbone if isinstance(row, InvertedResidual)]
    inputs = [row.out for row in network.backbone[: len(blocks)]]
    projections = [layer for layer in model.layers if layer.name.endswith("project")]
    assert len(projections) == len(blocks)
    for row, width, projection in zip(blocks, inputs, projections, strict=True):
        (norm,) = readers(projection)
        assert isinstance(norm, keras.layers.BatchNormalization)
        after = readers(norm)
        added = [layer for layer in after if isinstance(layer, keras.layers.Add)]
        for layer in (*after, *(reader for add in added for reader in readers(add))):
            assert not isinstance(layer, ACTIVATIONS), projection.name
        # A plain block's output may be the next block's shortcut: only its own sum counts.
        prefix = projection.name.removesuffix("project")
        own = [layer for layer in added if layer.name.startswith(prefix)]
        assert bool(own) == (row.stride == 1 and width == row.out), projection.name


def test_v1_activates_every_convolution():
    model = build("v1", 0.25, 64)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 27
    for norm in norms:
        (activation,) = readers(norm)
        assert isinstance(activation, keras.layers.ReLU)
        assert activation.max_value == 6
