"""The networks are those of `tf_keras.applications`: same names, same order, same outputs."""

import functools

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.networks.zoo import ZOO
from tests.slow import slow_but

APPLICATIONS = {
    "v1": keras.applications.MobileNet,
    "v2": keras.applications.MobileNetV2,
    "v3_large": keras.applications.MobileNetV3Large,
    "v3_small": keras.applications.MobileNetV3Small,
}
ALPHAS = [(name, alpha) for name, entry in ZOO.items() for alpha in entry.alphas]
# Every published alpha once, at sizes that take turns.
EVERY_ALPHA = [
    (name, alpha, (32, 97, 96, 65)[turn % 4], turn % 3 > 0, None)
    for turn, (name, alpha) in enumerate(ALPHAS)
]
SIZES_AND_TOPS = [
    ("v1", 0.25, 97, True, None),
    ("v1", 0.25, 33, False, "max"),
    ("v1", 0.25, 224, False, None),
    ("v2", 0.35, 97, True, None),
    ("v2", 0.35, 33, False, "avg"),
    ("v2", 0.35, 224, True, None),
    ("v3_small", 0.75, 97, True, None),
    ("v3_small", 0.75, 33, False, "max"),
    ("v3_small", 0.75, 224, False, "avg"),
]


def application(name, **arguments):
    if name.startswith("v3"):
        arguments |= {"include_preprocessing": False, "minimalistic": "minimalistic" in name}
    return APPLICATIONS[name.removesuffix("_minimalistic")](weights=None, **arguments)


def random_weights(model, seed=0):
    """Random values in every weight, statistics too, that keep activations near unit size."""
    draw = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.gamma.shape[0]
            gamma, variance = draw.uniform(0.5, 1.5, (2, count))
            beta, mean = draw.normal(0, 0.3, (2, count))
            layer.set_weights([gamma, beta, mean, variance])
        elif layer.weights:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            inputs = np.prod(layer.weights[0].shape[: 2 if depthwise else -1])
            shapes = [weight.shape for weight in layer.weights]
            layer.set_weights([draw.normal(0, (1.5 / inputs) ** 0.5, shape) for shape in shapes])


@functools.cache
def pictures(size):
    return np.random.default_rng(size).uniform(-1, 1, (2, size, size, 3)).astype("float32")


def weighted(model):
    return [(layer.name, layer.count_params()) for layer in model.layers if layer.weights]


@pytest.mark.parametrize(
    ("name", "alpha", "size", "top", "pooling"),
    slow_but(SIZES_AND_TOPS, EVERY_ALPHA + SIZES_AND_TOPS),
)
def test_outputs_equal_keras_applications(name, alpha, size, top, pooling):
    shape = (size, size, 3)
    theirs = application(name, input_shape=shape, alpha=alpha, include_top=top, pooling=pooling)
    ours = build(name, alpha, size, include_top=top, pooling=pooling)
    assert weighted(ours) == weighted(theirs)
    assert ours.output_shape == theirs.output_shape

    random_weights(theirs)
    ours.set_weights(theirs.get_weights())
    expected = theirs(pictures(size), training=False).numpy()
    result = ours(pictures(size), training=False).numpy()
    scale = np.abs(expected).max()
    assert np.isfinite(expected).all()
    assert np.abs(expected[0] - expected[1]).max() > 1e-3 * scale, "the test sees no picture"
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 * max(1.0, scale))
