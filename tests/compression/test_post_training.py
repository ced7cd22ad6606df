"""Each method of post-training quantization alone, then all together in a file."""

from dataclasses import replace

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.post_training import samples
from mobilenet_tf.compression.post_training.adaround import adaround
from mobilenet_tf.compression.post_training.equalization import equalized
from mobilenet_tf.compression.post_training.quantize import quantize_after_training
from mobilenet_tf.compression.post_training.ranges import RULES
from mobilenet_tf.compression.post_training.rounding import (
    LEVELS,
    gptq,
    largest,
    least_error,
    nearest,
)
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.deployment.proof.parity import parity
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.task import Classification
from tests.conftest import SHARED, Int8

PLAIN = PostTraining(
    ranges="extremes", equalize=False, limits=False, rounding="nearest", correct_bias=False
)


@pytest.fixture(scope="module")
def kernel():
    """A full convolution's kernel and the moments of correlated inputs, as after a ReLU."""
    random = np.random.default_rng(0)
    inputs = np.maximum(random.normal(size=(4000, 24)) @ random.normal(size=(24, 24)) / 5, 0)
    return random.normal(size=(1, 24, 16)), (inputs.T @ inputs / len(inputs))[None]


def error(kernel, moments, integers, limit) -> float:
    """Squared error of the outputs."""
    wrong = integers * limit / LEVELS - kernel
    return float(np.einsum("gio,gij,gjo->", wrong, moments, wrong))


@pytest.mark.parametrize("method", [gptq, adaround])
@pytest.mark.parametrize("levels", [127, 7])
def test_rounding_by_the_inputs_beats_the_nearest(kernel, method, levels):
    """With steps that are coarse, as where one large weight decides the scale, the more."""
    weights, moments = kernel
    limit = largest(weights, per_channel=True) * LEVELS / levels
    plain = error(weights, moments, nearest(weights, limit), limit)
    assert error(weights, moments, method(weights, moments, limit), limit) < 0.8 * plain


@pytest.mark.parametrize("method", [gptq, adaround])
def test_the_largest_weight_stays_the_largest(kernel, method):
    """The scale in the file is read from the kernel."""
    weights, moments = kernel
    limit = 0.8 * largest(weights, per_channel=True)
    integers = method(weights, moments, limit)
    np.testing.assert_array_equal(np.abs(integers).max(axis=1), LEVELS)
    np.testing.assert_array_equal(integers, np.rint(integers))


@pytest.mark.parametrize("per_channel", [True, False])
def test_a_rare_large_weight_is_clipped(kernel, per_channel):
    weights, moments = kernel
    weights = weights.copy()
    weights[0, 3] *= 4
    moments = moments.copy()
    moments[0, 3] *= 1e-3
    moments[0, :, 3] *= 1e-3
    whole = largest(weights, per_channel)
    limit = least_error(weights, moments, per_channel)
    assert limit.shape == whole.shape == (1, 1, 16)
    assert (limit <= whole).all()
    diagonal = moments * np.eye(24)
    assert error(weights, diagonal, nearest(weights, limit), limit) < 0.5 * error(
        weights, diagonal, nearest(weights, whole), whole
    )


def test_rules_of_ranges():
    values = np.random.default_rng(0).standard_t(3, size=20_000).astype(np.float32)
    widest = RULES["extremes"](values)
    for name in ("percentile", "least_squares"):
        low, high = RULES[name](values)
        assert widest[0] < low < -5, name
        assert 5 < high < widest[1], name


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(5, 3, strides=2, padding="same"),
        keras.layers.Conv2D(5, (3, 1), padding="valid"),
        keras.layers.DepthwiseConv2D(3, dilation_rate=2, padding="same", depth_multiplier=2),
        keras.layers.DepthwiseConv2D(5, strides=2, padding="same"),
    ],
)
def test_inputs_times_kernel_are_the_outputs(layer):
    images = np.random.default_rng(0).normal(size=(3, 12, 9, 4)).astype(np.float32)
    outputs = keras.Sequential([keras.Input((12, 9, 4)), layer])(images).numpy()
    positions = samples.draw(layer, len(images))
    inputs = samples.inputs_at(layer, images, positions)
    kernel = layer.get_weights()[0]
    found = np.matmul(inputs, samples.to_groups(layer, kernel))
    found = found.transpose(1, 0, 2).reshape(len(positions.images), -1)
    expected = outputs[positions.images, positions.rows, positions.columns]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    back = samples.from_groups(layer, samples.to_groups(layer, kernel), kernel.shape)
    np.testing.assert_array_equal(back, kernel)


@pytest.fixture(scope="module")
def v2(pictures):
    """V2 with activations as after training, which reach ReLU6's ceiling in some channels."""
    return Int8("v2", pictures)


def unevenness(model: keras.Model) -> float:
    """Largest over median range of the channels, in the geometric mean of depthwise kernels."""
    layers = [x for x in model.layers if isinstance(x, keras.layers.DepthwiseConv2D)]
    ranges = [np.abs(layer.get_weights()[0]).max(axis=(0, 1, 3)) for layer in layers]
    return float(np.exp(np.mean([np.log(x.max() / np.median(x)) for x in ranges])))


def test_equalization_keeps_the_function_of_relu6(v2):
    model = equalized(v2.deployed, v2.images)
    assert unevenness(model) < 0.8 * unevenness(v2.deployed)
    np.testing.assert_allclose(model(v2.images), v2.deployed(v2.images), atol=1e-4)


@pytest.fixture(scope="module")
def imagenet(pictures):
    """V1 0.25 with ImageNet weights: deploy form, input, images."""
    path = SHARED / "weights" / "mobilenet_v1_0.25_128.h5"
    if not path.is_file():
        pytest.skip("shared/weights is not beside the repository")
    network = make_network("v1", 0.25, 48, 1000)
    model = build_network(network)
    load_weights(model, str(path), network)
    return deploy_form(model), network.input, network.input.normalise(pictures)


def test_methods_bring_real_weights_nearer_to_float(imagenet):
    """One scale per kernel, on pictures that were not calibrated on."""
    deployed, spec, images = imagenet
    seen, unseen = images[::2], images[1::2]
    exact = deployed(unseen).numpy()

    def distance(model: keras.Model) -> float:
        return float(np.abs(model(unseen).numpy() - exact).mean())

    plain = quantize_aware(deployed, seen, spec, per_channel=False)
    better = quantize_after_training(deployed, seen, spec, per_channel=False)
    assert distance(better) < 0.75 * distance(plain)


def test_without_methods_it_is_the_plain_network(v2):
    settings = replace(PLAIN, pictures=1)
    model = quantize_after_training(v2.deployed, v2.images, v2.spec.input, settings=settings)
    for one, two in zip(model.get_weights(), v2.qat.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=np.abs(two).max() / 250)


def test_the_file_computes_what_the_network_computes(v2):
    few = slice(16)
    model = quantize_after_training(v2.deployed, v2.images[few], v2.spec.input)
    file = TFLiteModel(convert(model))
    found = parity(
        Classification(), file.scores, model(v2.images[few]).numpy(), file.run_raw(v2.pixels[few])
    )
    assert found["max_lsb"] <= 1
    assert found["within_1_lsb"] == 1
