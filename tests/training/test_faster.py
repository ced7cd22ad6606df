import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.training import faster as module
from mobilenet_tf.training.faster import faster

RANDOM = np.random.default_rng(0)


def step(model: keras.Model, pictures: tf.Tensor) -> list[np.ndarray]:
    """Return the output of a model and all gradients."""
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        outputs = model(pictures)
        loss = tf.reduce_sum(tf.sin(outputs))
    sources = [pictures, *model.trainable_variables]
    return [outputs.numpy(), *(value.numpy() for value in tape.gradient(loss, sources))]


def assert_same(model: keras.Model, pictures: tf.Tensor, wanted: set[type]) -> None:
    plain = step(model, pictures)
    before = [type(layer) for layer in model.layers]
    with faster(model):
        assert {type(layer) for layer in model.layers} >= wanted
        quick = step(model, pictures)
    assert [type(layer) for layer in model.layers] == before
    for ours, expected in zip(quick, plain, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=2e-5 * scale)


@pytest.mark.parametrize("size", [3, 4, 9, 14])
@pytest.mark.parametrize(
    ("stride", "padding"), [(1, "same"), (1, "valid"), (2, "same"), (2, "valid")]
)
def test_5x5_depthwise_has_the_same_gradients(size, stride, padding):
    if padding == "valid":
        size += 4
    inputs = keras.Input((size, size + 1, 6))
    layer = keras.layers.DepthwiseConv2D(
        5, stride, padding, activation="relu", bias_initializer="ones"
    )
    pictures = tf.constant(RANDOM.normal(size=(3, size, size + 1, 6)), tf.float32)
    assert_same(keras.Model(inputs, layer(inputs)), pictures, {module._Depthwise})


def test_a_network_has_the_same_gradients():
    """V3 has squeeze-and-excite, 5x5 and 1x1; afterwards its layers are Keras's again."""
    keras.utils.set_random_seed(0)
    model = build("v3_small", 0.35, 48, classes=5, dropout=0.0)
    pictures = tf.constant(RANDOM.uniform(-1, 1, (4, 48, 48, 3)), tf.float32)
    assert_same(model, pictures, {module._Depthwise, module._Pointwise})


def test_other_convolutions_are_not_replaced():
    inputs = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(4, 1, strides=2)(inputs)
    x = keras.layers.Conv2D(4, 1, groups=2)(x)
    x = keras.layers.Conv2D(4, 3)(x)
    for layer in (
        keras.layers.DepthwiseConv2D(5, depth_multiplier=2, padding="same"),
        keras.layers.DepthwiseConv2D(3, padding="same"),
        keras.layers.DepthwiseConv2D(5, dilation_rate=2, padding="same"),
    ):
        x = layer(x)
    model = keras.Model(inputs, x)
    before = [type(layer) for layer in model.layers]
    with faster(model):
        assert [type(layer) for layer in model.layers] == before
