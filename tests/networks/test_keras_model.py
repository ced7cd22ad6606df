"""What `build` accepts, refuses and makes."""

from dataclasses import replace

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.count import count, layers
from mobilenet_tf.networks.keras_model import HardSigmoid, HardSwish, build_network
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.published.names import layer_name
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.slow import USUAL, slow_but

PLAIN = {
    "InputLayer",
    "ZeroPadding2D",
    "Conv2D",
    "DepthwiseConv2D",
    "BatchNormalization",
    "ReLU",
    "HardSwish",
    "HardSigmoid",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "MaxPooling2D",
    "Multiply",
    "Activation",
    "Add",
    "Concatenate",
    "Dropout",
    "Flatten",
    "Dense",
    "Softmax",
}
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
@pytest.mark.parametrize(("alpha", "size", "channels"), [(0.1, 33, 1), (1.25, 47, 3)])
def test_any_alpha_and_size_builds_runs_and_is_counted(name, alpha, size, channels):
    model = build(name, alpha, size, classes=5, channels=channels)
    assert model.network == make_network(name, alpha, size, 5, channels)
    assert model.name == f"{name}_{alpha}_{size}"
    assert {type(layer).__name__ for layer in model.layers} <= PLAIN

    pictures = np.random.default_rng(0).uniform(-1, 1, (2, size, size, channels))
    result = model(pictures.astype("float32"), training=False).numpy()
    assert result.shape == (2, 5)
    np.testing.assert_allclose(result.sum(axis=1), 1, rtol=1e-5)

    assert count(model.network).parameters == model.count_params()
    kernels = {layer.name for layer in model.layers if isinstance(layer, CONVOLUTIONS)}
    graph = lower(model.network)
    rows = {
        layer_name(model.network.layer_names, graph[row.name]): row
        for row in layers(model.network)
        if row.parameters
    }
    assert kernels == set(rows)
    for name, row in rows.items():
        layer = model.get_layer(name)
        shape = (1, 1, *layer.output_shape[1:])[-3:]
        assert shape == (row.height, row.width, row.channels), layer.name
        kernel = int(np.prod(layer.weights[0].shape))
        assert row.folded_parameters == kernel + row.channels, layer.name
        assert row.macs == kernel * row.height * row.width, layer.name


def test_without_top_there_are_features():
    assert build("v2", 0.35, 64, include_top=False).output_shape == (None, 2, 2, 1280)
    pooled = build("v2", 0.35, 64, include_top=False, pooling="max")
    assert pooled.output_shape == (None, 1280)


def test_dropout_is_the_zoos_unless_given():
    assert build("v1", 0.25, 32).get_layer("dropout").rate == make_network("v1").head[-1].dropout
    assert build("v1", 0.25, 32, dropout=0.5).get_layer("dropout").rate == 0.5
    model = build("v1", 0.25, 32, dropout=0)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in model.layers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "v9"}, "no model named 'v9'; the names are v1, v2"),
        ({"alpha": 0}, "alpha is 0; it must be"),
        ({"alpha": float("inf")}, "alpha is inf; it must be"),
        ({"alpha": "wide"}, "alpha is 'wide'; it must be"),
        ({"size": 31}, "size is 31; it must be"),
        ({"size": 96.5}, "size is 96.5; it must be"),
        ({"classes": 0}, "classes is 0; it must be"),
        ({"channels": 4}, "channels is 4; it must be 1"),
        ({"dropout": 1}, "dropout is 1; it must be"),
        ({"dropout": -0.1}, "dropout is -0.1; it must be"),
        ({"pooling": "mean", "include_top": False}, "pooling is 'mean'; it must be None"),
        ({"pooling": "avg"}, "pooling is 'avg'; with include_top it must be None"),
    ],
)
def test_wrong_values_are_named(arguments, said):
    with pytest.raises(UserError, match=said):
        build(**{"name": "v1"} | arguments)


def test_activation_of_changed_rows_is_checked():
    row = make_network("v2", 0.35, 32).backbone[1]
    with pytest.raises(UserError, match="activation is 'gelu'; it must be one of relu"):
        replace(row, activation="gelu")


def test_spec_survives_plain_values():
    spec = make_network("v3_large", 0.75, 96, 7, 1)
    assert Network.from_dict(spec.to_dict()) == spec


def test_named_layers_are_the_papers_functions_and_survive_saving(tmp_path):
    x = np.linspace(-5, 5, 41, dtype="float32").reshape(1, -1)
    gate = np.clip(x + 3, 0, 6) / 6
    np.testing.assert_allclose(HardSigmoid()(x), gate, atol=1e-6)
    np.testing.assert_allclose(HardSwish()(x), x * gate, atol=1e-6)

    model = build("v3_small", 0.35, 32, classes=3)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    picture = np.ones((1, 32, 32, 3), "float32")
    np.testing.assert_array_equal(again(picture), model(picture))


def test_layer_names_of_another_family_are_refused():
    with pytest.raises(UserError, match="layer_names is 'v1', which calls two layers of this"):
        build_network(replace(make_network("v3_small", 0.25, 32), layer_names="v1"))
