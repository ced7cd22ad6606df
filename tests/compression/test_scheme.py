import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.calibration import calibrate
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.compression.quantized_layer import integer_bias
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.proof.parity import distance, parity
from mobilenet_tf.deployment.proof.tensors import file_tensors, model_tensors
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.models import load_qat
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.classification.task import Classification

AMPLITUDES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0], np.float32)


@pytest.fixture(scope="module")
def uneven():
    """A depthwise convolution whose channels differ by a factor of 50, and images for it."""
    random = np.random.default_rng(2)
    image = keras.Input((32, 32, 8))
    x = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")(image)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    x = keras.layers.Conv2D(4, 1, name="classes")(x)
    x = keras.layers.Softmax(name="probabilities")(keras.layers.Flatten(name="flat")(x))
    model = keras.Model(image, x)
    kernel = random.uniform(-1, 1, (3, 3, 8, 1)).astype("float32")
    kernel *= AMPLITUDES[:, None] / np.abs(kernel).max(axis=(0, 1))
    model.get_layer("depthwise").set_weights([kernel, np.zeros(8, np.float32)])
    return model, random.uniform(-1, 1, (16, 32, 32, 8)).astype("float32")


def weights(content: bytes, op: str) -> dict:
    (layer,) = (layer for layer in inspect(content)["layers"] if layer["op"] == op)
    return layer


def test_every_depthwise_channel_uses_all_integers(uneven):
    model, images = uneven
    content = convert(quantize_aware(model, images, InputSpec()), "int8")
    layer = weights(content, "DEPTHWISE_CONV_2D")
    assert layer["per_channel"]
    assert layer["channel_max"] == {"min": 127, "median": 127, "max": 127}


def test_the_bias_of_a_dead_channel_is_in_the_file(uneven):
    """Training leaves channels without weights, in whose steps a bias would exceed 32 bits."""
    model, _ = uneven
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 8), np.uint8)
    images = InputSpec().normalise(pixels)
    dead = keras.models.clone_model(model)
    dead.set_weights(model.get_weights())
    kernel, bias = model.get_layer("depthwise").get_weights()
    kernel, bias = kernel / 100, bias + 3.0
    kernel[..., 2, :], bias[2] = 1e-20, 5.0
    dead.get_layer("depthwise").set_weights([kernel, bias])
    qat = quantize_aware(dead, images, InputSpec())
    file = TFLiteModel(convert(qat, "uint8"), preserve_tensors=True)
    steps = np.abs(integer_bias(qat.get_layer("depthwise")))
    assert np.delete(steps, 2).max() < steps[2] == pytest.approx(2**23)
    info, values = file_tensors(qat, file, pixels)["depthwise"]
    real = info.dequantize(values)[..., 2]
    np.testing.assert_allclose(real, 5.0, atol=info.scale)
    expected = model_tensors(qat, ["depthwise"], images)["depthwise"]
    assert distance(info, expected, values).max() == 0


def test_per_tensor_has_one_scale_per_kernel(uneven):
    model, images = uneven
    content = convert(quantize_aware(model, images, InputSpec(), per_channel=False), "int8")
    layer = weights(content, "DEPTHWISE_CONV_2D")
    assert not layer["per_channel"]
    assert layer["channel_max"]["min"] == round(127 * AMPLITUDES[0])


def test_float_outputs_are_compared_in_steps_of_the_integers_inside(uneven):
    model, _ = uneven
    input_spec = InputSpec()
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 8), np.uint8)
    images = input_spec.normalise(pixels)
    qat = quantize_aware(model, images, input_spec)
    file = TFLiteModel(convert(qat, "float32"), mean=input_spec.mean, std=input_spec.std)
    found, expected = file.run_raw(pixels), qat(images).numpy()
    assert found.dtype == np.float32
    assert parity(Classification(), file.scores, expected, found)["max_lsb"] <= 1
    assert parity(Classification(), file.scores, expected + 3 / 256, found)["within_1_lsb"] == 0


def test_the_range_of_the_input_is_the_normalisation():
    low, high = InputSpec(mean=128, std=127.5).bounds
    scale = (high - low) / 255
    assert scale == pytest.approx(1 / 127.5)
    assert -low / scale == pytest.approx(128)


def test_calibration_needs_finite_images(uneven):
    model, images = uneven
    with pytest.raises(UserError, match="at least one real image is needed"):
        calibrate(model, images[:0])
    with pytest.raises(UserError, match="not finite"):
        calibrate(model, np.full((1, 32, 32, 8), np.nan, np.float32))


def test_hard_swish_uses_no_integers_below_minus_three(int8):
    ranges = calibrate(int8.deployed, int8.images)
    gated = [name.removesuffix("/gate") for name in ranges if name.endswith("/gate")]
    for name in gated:
        source = int8.deployed.get_layer(name).input[0].node.layer.name
        assert ranges[source][0] >= -3.0


def test_qat_trains_every_kernel_and_bias(int8):
    """A kernel whose gradient is lost in rounding would never change."""
    target = tf.one_hot(np.arange(len(int8.images)) % 10, 10)
    with tf.GradientTape() as tape:
        logits = keras.Model(int8.qat.input, int8.qat.layers[-1].input)(int8.images, training=True)
        loss = keras.losses.categorical_crossentropy(target, logits, from_logits=True)
    variables = int8.qat.trainable_variables
    assert len(variables) == len(int8.deployed.trainable_variables)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert gradient is not None, variable.name
        assert np.isfinite(gradient).all(), variable.name
        assert np.abs(gradient).max() > 0, variable.name


def test_a_saved_model_is_the_same_model(int8, tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_config(RunSettings(data="digits", network=int8.spec).to_dict())
    int8.qat.save(folder.qat_model)
    images = int8.images[:8]
    np.testing.assert_array_equal(load_qat(folder)(images), int8.qat(images))
