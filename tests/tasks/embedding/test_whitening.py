"""Vectors start from features in which what differs within a class counts less."""

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.embedding.similarity import unit, verification
from mobilenet_tf.tasks.embedding.task import Embedding
from mobilenet_tf.tasks.embedding.whitening import projection

CLASSES, EACH = 8, 40


@pytest.fixture(scope="module")
def features() -> tuple[np.ndarray, np.ndarray]:
    """Vectors of eight classes that differ less than the light on their pictures."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), EACH)
    light = random.normal(size=(len(labels), 2)) @ random.normal(size=(2, 24)) * 3
    noise = random.normal(size=(len(labels), 24))
    return random.normal(size=(CLASSES, 24))[labels] + light + noise, labels


def test_classes_that_were_never_seen_are_told_apart_better(features):
    values, labels = features
    known = labels < CLASSES // 2
    found = values @ projection(values[known], labels[known], 16)
    plain, projected = (
        verification(unit(one[~known].astype(np.float32)), labels[~known])
        for one in (values - values[known].mean(axis=0), found - found[known].mean(axis=0))
    )
    assert projected > plain + 0.1


def test_more_dimensions_than_features_are_zero(features):
    kernel = projection(*features, 32)
    assert kernel.shape == (24, 32)
    assert np.all(kernel[:, 24:] == 0)
    assert np.all(np.any(kernel[:, :24], axis=0))


def test_only_a_new_projection_of_trained_features_is_set():
    network = Embedding(dimension=4, held_out=("a", "b")).with_head(make_network("v1", 0.25, 32), 5)
    objective = Embedding(dimension=4, held_out=("a", "b")).objective(network)
    images = np.random.default_rng(0).uniform(-1, 1, (24, 32, 32, 3)).astype(np.float32)
    labels = np.arange(24) % network.classes
    model = build_network(network)
    learner = objective.trained(model)
    dense = next(one for one in model.layers if isinstance(one, keras.layers.Dense))
    norms = [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]

    def changes() -> bool:
        before = dense.get_weights()[0]
        objective.prepare(learner, images, labels)
        return not np.array_equal(before, dense.get_weights()[0])

    assert not changes()  # the features are random
    norms[0].moving_mean.assign(norms[0].moving_mean + 0.1)
    assert changes()
    outputs = model(images, training=False).numpy()
    # Centred, and as different as before the normalization.
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-3)
    expected = keras.Model(model.input, dense.output)(images).numpy().reshape(24, -1).std(axis=0)
    np.testing.assert_allclose(
        outputs.std(axis=0) / outputs.std(axis=0)[0], expected / expected[0], rtol=0.02
    )
    assert not changes()  # it has been set
