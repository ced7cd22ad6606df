"""Models from elsewhere, rebuilt from layers that have a deploy form."""

from pathlib import Path

import numpy as np
import pytest
import tf_keras

from mobilenet_tf.commands.foreign_model import off_ties
from mobilenet_tf.commands.foreign_quantize import quantize_foreign
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.flat_form import flat_form
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import rescale
from mobilenet_tf.deployment.proof.rounding import sqnr
from mobilenet_tf.deployment.proof.tensors import compare
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.foreign import open_foreign, with_two_scores
from tests.commands import foreign_kinds as kinds

pytestmark = pytest.mark.xdist_group("foreign model")
SPEC = InputSpec((32, 32), 3, 127.5, 127.5)
LAYERS = tf_keras.layers


def images_of(model, pictures):
    """Normalised pictures of a model's size, and their pixels."""
    spec = InputSpec(tuple(model.input_shape[1:3]), 3, SPEC.mean, SPEC.std)
    pixels = rescale(pictures, spec)
    return spec.normalise(pixels), pixels


def made(keras, layers, classes=5):
    """A model of some layers between two convolutions and a classifier."""
    keras.utils.set_random_seed(7)
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, 2, padding="same")(image)
    x = layers(keras.layers, x)
    x = keras.layers.Flatten()(keras.layers.Conv2D(6, 3, 2)(x))
    return keras.Model(image, keras.layers.Dense(classes, activation="softmax")(x))


def moved(model):
    """Give every normalisation statistics of its own."""
    random = np.random.default_rng(3)
    for layer in model._flatten_layers():
        if hasattr(layer, "moving_mean"):
            weights = [random.uniform(0.5, 1.5, one.shape) for one in layer.get_weights()]
            layer.set_weights(weights)
    return model


def residual(layers, x):
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x))
    return layers.ReLU()(layers.Add()([x, y]))


def normalised_first(layers, x):
    """DenseNet's order, in which no convolution stands before a normalisation."""
    y = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.Concatenate()([x, layers.Conv2D(4, 1)(y)])
    return layers.AveragePooling2D(2)(layers.ReLU()(layers.BatchNormalization()(x)))


def two_readers(layers, x):
    """A normalisation that must not be folded, because something else reads the convolution."""
    y = layers.DepthwiseConv2D(3, padding="same")(x)
    return layers.Multiply()([y, layers.Activation("sigmoid")(layers.BatchNormalization()(y))])


def squeezed(layers, x):
    """EfficientNet's gate."""
    y = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    y = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="swish")(y))
    return layers.Multiply()([x, y])


def hard_gates(layers, x):
    """MobileNet V3's activations as tf_keras writes them: arithmetic on tensors."""
    x = layers.BatchNormalization()(x)
    x = layers.Multiply()([x, layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)])
    y = layers.Conv2D(8, 1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return layers.Multiply()([x, layers.ReLU(6.0)(y + 3.0) * (1.0 / 6.0)])


def separable(layers, x):
    x = layers.SeparableConv2D(12, 3, padding="same", activation="relu6")(x)
    return layers.MaxPooling2D(2)(layers.SpatialDropout2D(0.1)(x))


GRAPHS = (residual, normalised_first, two_readers, squeezed, hard_gates, separable)


@pytest.mark.parametrize("library", [tf_keras, kinds.keras_3()], ids=["tf_keras", "Keras 3"])
@pytest.mark.parametrize("layers", GRAPHS, ids=lambda layers: layers.__name__)
def test_it_computes_the_same(layers, library, pictures):
    model = moved(made(library, layers))
    images, _ = images_of(model, pictures[:8])
    expected = np.asarray(model(images, training=False))
    flat = flat_form(model)
    np.testing.assert_allclose(flat(images, training=False), expected, atol=2e-6)
    deployed = deploy_form(flat)
    np.testing.assert_allclose(deployed(images, training=False), expected, atol=2e-6)


@pytest.mark.parametrize("library", [tf_keras, kinds.keras_3()], ids=["tf_keras", "Keras 3"])
@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.__name__)
def test_kinds_of_models(kind, library, pictures):
    library.utils.set_random_seed(4)
    model = with_two_scores(kind(library), library)
    images, _ = images_of(model, pictures[:8])
    expected = np.asarray(model(images, training=False))
    found = deploy_form(flat_form(model))(images, training=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_folded():
    """Neither a normalisation nor arithmetic remains where a convolution can carry it."""
    flat = flat_form(moved(made(tf_keras, hard_gates)))
    names = [type(layer).__name__ for layer in flat.layers]
    assert names == [
        *("InputLayer", "Conv2D", "HardSwish", "GlobalAveragePooling2D", "Conv2D"),
        *("HardSigmoid", "Multiply", "Conv2D", "Conv2D", "Flatten", "Softmax"),
    ]


@pytest.mark.parametrize("layers", [residual, squeezed], ids=lambda layers: layers.__name__)
def test_the_file_is_the_project_s_own(layers, pictures):
    model = moved(made(tf_keras, layers))
    images, pixels = images_of(model, pictures)
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    images = off_ties(pixels, SPEC)
    found = quantize_foreign(model, "uint8", images, SPEC)
    assert found.reason is None
    assert file_facts(found.content)["float_tensors"] == 0
    rows = compare(found.model, found.content, pixels[:4], images[:4])
    assert len(rows) >= 6
    assert max(row["max_lsb"] for row in rows) <= 1
    file = TFLiteModel(found.content, trusted=True, mean=SPEC.mean, std=SPEC.std)
    plain = TFLiteModel(convert(model, "uint8", images), trusted=True, mean=SPEC.mean, std=SPEC.std)
    scores = np.asarray(model(images, training=False))
    assert sqnr(scores, file.run(pixels)) > sqnr(scores, plain.run(pixels)) - 1
    assert sqnr(scores, file.run(pixels)) > 25


def odd(layers, x):
    return layers.LeakyReLU()(x)


def shifted(layers, x):
    return layers.Activation("hard_sigmoid")(x)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (odd, "LeakyReLU, which has no integer form here"),
        (shifted, "The activation hard_sigmoid of Keras 2 has no integer form"),
    ],
    ids=["LeakyReLU", "hard_sigmoid of Keras 2"],
)
def test_other_layers_are_left_to_the_converter(layers, said, pictures):
    model = made(tf_keras, layers)
    images, pixels = images_of(model, pictures)
    with pytest.raises(UserError, match=said):
        flat_form(model)
    found = quantize_foreign(model, "uint8", images, SPEC)
    assert found.model is None
    assert said in found.reason
    file = TFLiteModel(found.content, trusted=True, mean=SPEC.mean, std=SPEC.std)
    assert sqnr(np.asarray(model(images)), file.run(pixels)) > 15
    with pytest.raises(UserError, match=f"--per-tensor and --set need layers .* {said}"):
        quantize_foreign(model, "uint8", images, SPEC, per_tensor=True)


def test_the_example_of_the_page(tmp_path, monkeypatch, pictures):
    """Blue first and a mean per channel, as a layer that a file can hold."""
    image = tf_keras.Input((32, 32, 3))
    network = tf_keras.Model(image, kinds.body(tf_keras, image))
    monkeypatch.setattr(tf_keras.applications, "ResNet50", lambda: network)
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "pretrained.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0].replace("224", "32")
    exec(code, {})
    model = open_foreign("resnet50.keras").load_classifier()
    pixels = rescale(pictures[:8], SPEC).astype(np.float32)
    prepared = tf_keras.applications.resnet.preprocess_input(pixels.copy())
    found = flat_form(model)(pixels, training=False)
    np.testing.assert_allclose(found, network(prepared), rtol=1e-4, atol=1e-4)


def test_settings_are_used(pictures):
    model = moved(made(tf_keras, residual))
    images, _ = images_of(model, pictures)
    plain = PostTraining(rounding="nearest", limits=False, correct_bias=False)
    files = {
        quantize_foreign(model, "uint8", images, SPEC, *way).content
        for way in ((), (True,), (False, plain))
    }
    assert len(files) == 3
