"""The supernet computes what each candidate would compute alone with these weights."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.selection.supernet import SharedNetwork
from mobilenet_tf.training.determinism import SeedEpochs
from tests.selection.architectures import tiny

CLASSES = 4
CHOICES = {
    "largest": max,
    "smallest": min,
    "between": {
        "features.width": 16, "stage_1.kernel": 3, "stage_1.expansion": 3, "stage_1.width": 16,
        "stage_1.repeats": 2, "stage_1.se": 1, "stage_1.activation": "relu", "stage_1.skip": 0,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("space"))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(size=(12, 32, 32, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def shared(space, images):
    """A supernet whose weights and statistics are all different."""
    layer, random = SharedNetwork(space, CLASSES, 0.9, seed=0), np.random.default_rng(2)
    layer(images)
    for weight in layer.weights:
        spread = 0.5 if weight.shape.rank == 1 else 0.3
        middle = 1.0 if any(x in weight.name for x in ("gamma", "variance")) else 0.0
        weight.assign(np.abs(random.normal(middle, spread, weight.shape)) if middle else
                      random.normal(0, spread, weight.shape))  # fmt: skip
    return layer


def alone(shared, network):
    """The plain network with the first channels, and the centres of kernels, of the supernet."""
    keras.backend.clear_session()
    model = build_network(network)
    for layer in model.layers:
        name = layer.name.removesuffix("/norm").replace("block_", "stage_1/")
        if name.startswith("stage_1/"):
            number = int(name.split("/")[1])
            name = name.replace(f"stage_1/{number}", f"stage_1/{number - 1}")
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        parts = ("gamma", "beta", "mean", "variance") if is_norm else ("kernel", "bias")
        values = []
        for part, weight in zip(parts, layer.weights, strict=False):
            held = shared._held[f"{name}/{part}"].numpy()
            held = held.reshape((1,) * (len(weight.shape) - held.ndim) + held.shape)
            for axis, side in enumerate(weight.shape):
                spatial = len(weight.shape) == 4 and axis < 2
                start = (held.shape[axis] - side) // 2 if spatial else 0
                held = held.take(range(start, start + side), axis)
            values.append(held)
        layer.set_weights(values)
    return model


@pytest.mark.parametrize("name", CHOICES)
def test_a_candidate_is_the_network_that_it_stands_for(space, shared, images, name):
    choice = CHOICES[name]
    values = choice if isinstance(choice, dict) else space.extreme(choice)
    model = alone(shared, space.network(values, CLASSES, InputSpec()))
    found = tf.nn.softmax(shared.logits(images, tf.constant(shared.plan(values)))).numpy()
    expected = model(images).numpy()
    assert expected.std(axis=0).max() > 0.01  # the pictures are told apart
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert tuple(model.network.input.shape) == (32, 32, 3)


def test_a_candidate_gets_statistics_of_its_own(space, shared, images):
    """Two batches at decay 0 and 1/2: the mean of both, of the candidate's channels alone."""
    values = space.extreme(min)
    plan = tf.constant(shared.plan(values))
    before = {name: held.numpy() for name, held in shared._held.items()}
    for index, batch in enumerate((images[:6], images[6:])):
        shared.observed(batch, plan, tf.constant(index / (index + 1)))
    stem = keras.Sequential([keras.layers.Conv2D(8, 3, 2, "same", use_bias=False)])
    stem(images)
    stem.set_weights([before["stem/kernel"]])
    means = [stem(batch).numpy().mean((0, 1, 2)) for batch in (images[:6], images[6:])]
    np.testing.assert_allclose(shared._held["stem/mean"], np.mean(means, axis=0), atol=1e-5)
    for part in ("mean", "variance"):
        now = shared._held[f"features/{part}"].numpy()
        assert not np.allclose(now[:16], before[f"features/{part}"][:16])
        assert np.array_equal(now[16:], before[f"features/{part}"][16:])
        assert np.array_equal(
            shared._held[f"stage_1/1/project/{part}"], before[f"stage_1/1/project/{part}"]
        )
    for name, value in before.items():
        shared._held[name].assign(value)


def test_training_teaches_every_size(shared, images):
    """The sandwich: the smallest and the random ones learn from the largest, the largest not."""
    layer = shared
    with tf.GradientTape() as tape:
        layer(images, training=True)
        added = tf.add_n(layer.losses)
    assert len(layer.losses) == 3
    gradients = dict(zip([w.name for w in layer.trainable_variables],
                         tape.gradient(added, layer.trainable_variables), strict=True))  # fmt: skip
    classifier = next(value for name, value in gradients.items() if "classifier/kernel" in name)
    assert np.abs(classifier[:16]).min() > 0


def test_the_random_candidates_of_an_epoch_depend_on_the_seed_alone(shared, images):
    """So a supernet whose training was interrupted goes on with the same ones."""
    seeded = SeedEpochs(seed=5)
    seeded.set_model(keras.Model(image := keras.Input(images.shape[1:]), shared(image)))

    def drawn(epoch):
        seeded.on_epoch_begin(epoch)
        return shared._random_generator._generator.uniform((4,)).numpy().tolist()

    assert drawn(3) == drawn(3) != drawn(4)
