"""Batch normalization takes on the statistics of images, and the network stays the same."""

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.training.statistics import adopt_statistics
from tests.conftest import enliven
from tests.slow import slow_but


@pytest.mark.parametrize("name", slow_but(["v1"], ["v1", "v2", "v3_small"]))
def test_training_mode_computes_what_inference_did(pictures, name):
    network = make_network(name, 0.1, 48, 5)
    model, images = build_network(network, dropout=0.0), network.input.normalise(pictures)
    enliven(model, images)
    for layer in model.layers:  # as in weights that have normalization folded into the kernels
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(0 * layer.moving_mean)
            layer.momentum = 1.0
    before = model(images, training=False).numpy()
    apart = np.abs(model(images, training=True) - before).max()
    adopt_statistics(model, images)
    np.testing.assert_allclose(model(images, training=False), before, atol=1e-4)
    np.testing.assert_allclose(model(images, training=True), before, atol=2e-3)
    assert apart > 0.05
