"""Full convolutions in the papers' factored forms, counted, trained from and run as integers."""

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf import load_weights
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.proof.parity import parity
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import factorized, lower
from mobilenet_tf.networks.rows import Classifier, Convolution, Network, Pooling
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.task import Classification
from tests.conftest import enliven
from tests.slow import slow_but

# 1x1 and 3x3, with stride 1 and 2, more and fewer channels, all of one full rank per form.
NETWORK = Network(
    InputSpec((48, 33)),
    (
        Convolution("stem", 3, 8, "relu6", 2),
        Convolution("", 3, 8, "relu", 1),
        Convolution("", 3, 8, None, 2),
        Convolution("", 1, 8, "relu", 1),
    ),
    (Pooling(), Classifier(5)),
    name="full",
)
FULL_RANK = {"separable": 8, "spatial": 24, "tucker": 8, "lowrank": 8}
FORMS = ["flattened", "factorized", "separable=2", "spatial=6", "tucker=4", "lowrank=3"]


def kernels(network: Network, block: str) -> int:
    graph = lower(network)
    return sum(graph.weights(op) for op in graph if op.block == block)


@pytest.mark.parametrize(
    ("form", "kernel", "values"),
    [
        # Jin et al.: 2 * (cin * F + 2 * k * F), 11.6 and 4.3 times less.
        ("flattened", 5, 35_328),
        ("flattened", 3, 34_304),
        ("factorized", 3, 9 * 128 + 128 * 128),
        ("separable=2", 3, 2 * 9 * 128 + 2 * 128 * 128),
        ("spatial=32", 3, 2 * 3 * 32 * 128),
        ("tucker=32", 3, 2 * 32 * 128 + 9 * 32 * 32),
        ("lowrank=32", 1, 2 * 32 * 128),
    ],
)
def test_parameters_are_those_of_the_papers(form, kernel, values):
    rows = (Convolution("stem", 3, 128, "relu"), Convolution("", kernel, 128, "relu"))
    network = Network(InputSpec(32), rows, NETWORK.head)
    assert kernels(network, "block_1") == kernel**2 * 128 * 128
    assert kernels(factorized(network, form), "block_1") == values
    assert kernels(factorized(network, form), "stem") == kernels(network, "stem")


@pytest.mark.parametrize("form", FULL_RANK)
def test_trained_kernels_are_exact_at_full_rank_only(form, pictures, tmp_path):
    keras.utils.set_random_seed(0)
    trained = build_network(NETWORK)
    images = NETWORK.input.normalise(pictures[:8, :, :33])
    enliven(trained, images)
    trained.save_weights(tmp_path / "full.h5")
    expected, errors = trained(images).numpy(), []
    for rank in (1, FULL_RANK[form]):
        network = factorized(NETWORK, f"{form}={rank}")
        model = build_network(network)
        load_weights(model, tmp_path / "full.h5")
        errors.append(np.abs(model(images) - expected).max())
    assert errors[0] > 1e-3
    assert errors[1] < 1e-5

    # Its own weights are read as those of any network.
    model.save_weights(tmp_path / "factors.h5")
    again = build_network(network)
    load_weights(again, tmp_path / "factors.h5")
    np.testing.assert_array_equal(again(images), model(images))


def test_forms_without_rank_do_not_start_from_trained_kernels(tmp_path):
    build_network(NETWORK).save_weights(tmp_path / "full.h5")
    network = factorized(NETWORK, "flattened")
    with pytest.raises(UserError, match="factorized as separable, spatial, tucker, lowrank only"):
        load_weights(build_network(network), tmp_path / "full.h5")


@pytest.mark.parametrize("form", slow_but(FORMS[:2], FORMS))
def test_it_goes_through_everything(form, pictures):
    network = factorized(NETWORK, form)
    assert Network.from_dict(network.to_dict()) == network
    model, counted = build_network(network), count(network)
    pixels = pictures[:, :, :33]
    images = network.input.normalise(pixels)
    enliven(model, images)
    assert model.count_params() == counted.parameters

    qat = quantize_aware(deploy_form(model), images, network.input)
    content = convert(qat)
    found, made = inspect(content), inspect(int8_file(network))
    assert found["float_tensors"] == 0
    assert found["delegate"]["partitions"] == 1
    assert made["multiply_adds"] == found["multiply_adds"] == counted.macs
    assert made["weight_bytes"] == counted.weight_bytes
    assert {**made["ops"], "QUANTIZE": found["ops"]["QUANTIZE"]} == found["ops"]
    file = TFLiteModel(content)
    agreement = parity(Classification(), file.scores, qat(images).numpy(), file.run_raw(pixels))
    assert agreement["within_1_lsb"] >= 0.995


def test_v1s_twin_becomes_as_small_as_v1():
    """A rank-1 separable form is V1's depthwise separable convolution."""
    twin = factorized(make_network("v1_full", 0.5), "separable=1")
    assert count(twin).macs == pytest.approx(count(make_network("v1", 0.5)).macs, rel=0.001)


@pytest.mark.parametrize(
    "form",
    ["", "jin", "tucker", "tucker=", "tucker=0", "tucker=a", "flattened=2", "lowrank=" + 7 * "9"],
)
def test_an_unknown_form_is_named(form):
    with pytest.raises(UserError, match=f"factorize is '{form}'; it must be one of flattened,"):
        factorized(NETWORK, form)


def test_a_factorized_network_has_plain_layer_names():
    """A config.toml may say otherwise; published names have no place for the factors."""
    values = factorized(make_network("v2", 0.35, 96), "lowrank=4").to_dict()
    with pytest.raises(UserError, match="layer_names is 'v2'; a factorized network's must be"):
        lower(Network.from_dict(values | {"layer_names": "v2"}))
    with pytest.raises(UserError, match="factorize is 'rank'; it must be one of"):
        lower(Network.from_dict(values | {"factorize": "rank"}))


def test_a_network_without_such_convolutions_is_refused():
    with pytest.raises(UserError, match=r"v1 0\.25, 96x96x3 has no convolution for it"):
        factorized(make_network("v1", 0.25, 96), "tucker=4")
    assert "v1_full 0.25 tucker=4," in factorized(make_network("v1_full", 0.25), "tucker=4").title
