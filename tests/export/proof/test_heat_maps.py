"""Heat maps of the float network by gradients, and the pictures that a report shows them of."""

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.deployment.proof.grad_cam import grad_cam
from mobilenet_tf.deployment.proof.heat_maps import heat_maps
from tests.export.proof.test_occlusion import Corner


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A network of two maps, bright and dark parts, each of which speaks for a class."""
    image = keras.Input((16, 16, 1))
    maps = keras.layers.Conv2D(2, 1, activation="relu")(image)
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True)(maps)
    scores = keras.layers.Softmax()(keras.layers.Flatten()(keras.layers.Conv2D(2, 1)(pooled)))
    network = keras.Model(image, scores)
    network.layers[1].set_weights([np.array([[[[1.0, -1.0]]]]), np.zeros(2)])
    network.layers[3].set_weights([100 * np.eye(2)[None, None], np.zeros(2)])
    return network


@pytest.mark.parametrize("sign", [1, -1])
def test_gradients_show_what_speaks_for_the_predicted_class(model, sign):
    images = np.full((1, 16, 16, 1), -0.02 * sign, np.float32)
    images[:, 2:7, 9:14] = 0.9 * sign
    heat = grad_cam(model, images)[0]
    assert model(images).numpy().argmax() == (sign < 0)
    assert heat.shape == (16, 16)
    assert (heat[2:7, 9:14] > 0).all()
    assert (np.delete(heat.ravel(), np.flatnonzero(images[0, ..., 0] * sign > 0)) == 0).all()


def test_mistakes_come_first_and_right_answers_of_several_classes_follow(model):
    spec = InputSpec(16, 1)
    pixels = np.zeros((12, 16, 16, 1), np.uint8)
    pixels[:, :8, :8] = np.arange(0, 240, 20, np.uint8)[:, None, None, None]
    file = Corner()
    outputs = file.real(pixels)
    labels = outputs.argmax(axis=1)
    labels[[1, 11]] = [1, 0]
    test = Split(pixels, labels, [f"{row}.png" for row in range(12)])
    found = heat_maps(model, file, test, ("dark", "bright"), outputs, spec)
    notes = [row["note"] for row in found.rows]
    assert [row["file"] for row in found.rows[:2]] == ["1.png", "11.png"]
    assert notes[:2] == ["bright → dark", "dark → bright"]
    rights = [f"{name}, predicted correctly" for name in ("bright", "bright", "dark", "dark")]
    assert sorted(notes[2:]) == rights
    assert list(found.pictures) == [f"heat_maps/{number:02d}.png" for number in range(1, 7)]
    height, width, _ = found.pictures["heat_maps/01.png"].shape
    assert width == 3 * height
