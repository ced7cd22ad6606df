"""Pruning, weight sharing and rounding, one after the other, up to the int8 file."""

from functools import partial

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.tflite.compressed.decode_operator import kernel_forms
from mobilenet_tf.deployment.tflite.compressed.kernel_facts import kernel_facts
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.training.compress import compress
from mobilenet_tf.training.fit import Session
from mobilenet_tf.training.recipe import load_recipe
from tests.conftest import shallow

NETWORK = shallow(make_network("v1", 0.25, 32, classes=10, channels=1))
RECIPE = load_recipe("small_data").with_fields(
    {
        "batch": 256,
        "compress": "prune,cluster,qat",
        "qat.epochs": 1,
        "prune.epochs": 2,
        "prune.sparsity": 0.8,
        "prune.every": 2,
        "cluster.epochs": 1,
        "cluster.values": 8,
    }
)


@pytest.fixture(scope="module")
def data():
    return load_data("digits", NETWORK.input, seed=0)


def built() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_network(NETWORK, dropout=0.0)


@pytest.fixture
def compressed(data, tmp_path):
    """Return a function that takes the network through the stages of a recipe."""
    few = calibration_images(data.train, NETWORK, 64, seed=0)
    to_int8 = partial(quantize_aware, images=few, input_spec=NETWORK.input)

    def call(recipe=RECIPE, name="run"):
        session = Session(
            dataset=data,
            task=Classification(),
            network=NETWORK,
            batch=recipe.batch,
            seed=0,
            checkpoints=tmp_path / name,
            logs=tmp_path / "logs" / name,
        )
        return compress(built(), recipe, session, to_int8)

    return call


def test_the_file_keeps_zeros_and_clusters(compressed, data):
    found = compressed()
    assert {name: len(curves["loss"]) for name, curves in found.history.items()} == {
        "prune": 2,
        "cluster": 1,
        "qat": 1,
    }
    content = convert(found.model, "int8")
    facts = list(kernel_facts(content))
    changed = [one for one in facts if one["op"] == "CONV_2D" and one["bytes"] >= 1024]
    assert len(changed) == 5
    for one in facts:
        if one in changed:
            assert one["zeros"] >= 0.79 and one["values"] <= 8
            assert one["stored_as"] == "huffman" and one["stored_bytes"] < one["bytes"] / 4
        else:
            assert one["zeros"] < 0.3 and one["values"] > 8

    pixels = data.test.images[:64]
    scores = TFLiteModel(
        convert(found.model, "float32"), mean=NETWORK.input.mean, std=NETWORK.input.std
    ).run_raw(pixels)
    expected = found.model(NETWORK.input.normalise(pixels)).numpy()
    np.testing.assert_allclose(scores, expected, atol=1 / 256 + 1e-6)

    form = McuForm(content, "auto")
    forms = kernel_forms(form.small)
    assert forms == {}
    assert len(form.plain) - len(form.small) == 0
