"""Pruning, weight sharing and rounding, one after the other, up to the int8 file."""

from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.compression.sharing import share_weights
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.proof.parity import parity
from mobilenet_tf.deployment.tflite.compressed.codecs import CODECS, decode
from mobilenet_tf.deployment.tflite.compressed.decode_operator import kernel_forms, kernels_of
from mobilenet_tf.deployment.tflite.compressed.kernel_facts import kernel_facts
from mobilenet_tf.deployment.tflite.compressed.layout import HEADER_BYTES
from mobilenet_tf.deployment.tflite.compressed.lookup import read_shape
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.training.callbacks import SaveState
from mobilenet_tf.training.compress import compress, kernels, pruning_of
from mobilenet_tf.training.compression_settings import Cluster, Prune
from mobilenet_tf.training.fit import Session
from mobilenet_tf.training.recipe import load_recipe
from tests.export.devices.c.files import run_both

FULL = make_network("v1", 0.25, 32, classes=10, channels=1)
NETWORK = replace(FULL, backbone=(FULL.backbone[0], FULL.backbone[2], FULL.backbone[-1]))
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


@pytest.fixture(scope="module")
def compressed(data, tmp_path_factory):
    """Return a function that takes the network through the stages, in a folder of that name."""
    few = calibration_images(data.train, NETWORK, 64, seed=0)
    to_int8 = partial(quantize_aware, images=few, input_spec=NETWORK.input)
    folder = tmp_path_factory.mktemp("stages")

    def call(name, recipe=RECIPE):
        session = Session(
            dataset=data,
            task=Classification(),
            network=NETWORK,
            batch=RECIPE.batch,
            seed=0,
            checkpoints=folder / name,
            logs=folder / "logs" / name,
        )
        return compress(built(), recipe, session, to_int8)

    return call


@pytest.fixture(scope="module")
def whole(compressed):
    return compressed("whole")


def test_the_file_keeps_zeros_and_clusters(whole, data):
    epochs = {name: len(curves["loss"]) for name, curves in whole.history.items()}
    assert epochs == {"prune": 2, "cluster": 1, "qat": 1}
    content = convert(whole.model, "int8")
    facts = list(kernel_facts(content))
    changed = [one for one in facts if one["op"] == "CONV_2D" and one["bytes"] >= 1024]
    assert len(changed) == 2  # a 1x1 convolution and the classifier
    for one in changed:
        assert one["zeros"] == pytest.approx(0.8, abs=0.03)
        assert one["values"] <= 8
        assert one["stored_as"] == "huffman"
        assert one["stored_bytes"] < one["bytes"] / 4
    for one in facts:
        assert one in changed or (one["zeros"] < 0.3 and one["values"] > 30)

    spec, pixels = NETWORK.input, data.test.images[:64]
    file = TFLiteModel(convert(whole.model, "float32"), mean=spec.mean, std=spec.std)
    expected = whole.model(spec.normalise(pixels)).numpy()
    assert parity(Classification(), file.scores, expected, file.run_raw(pixels))["max_lsb"] <= 1

    # The arena has room for the classifier only; the other kernel would need as much as it saves.
    form, (*_, classifier) = McuForm(content, "huffman"), facts
    assert kernel_forms(form.small) == {"huffman": 1, "plain": len(facts) - 1}
    saved = classifier["bytes"] - classifier["stored_bytes"]
    assert saved - 600 < len(form.plain) - len(form.small) < saved


def test_the_file_keeps_a_table_per_channel(compressed, data):
    """TensorFlow Lite Micro and plain C read them, with the outputs of plain kernels."""
    fields = {"compress": "prune,cluster,qat", "cluster.per_channel": True, "prune.epochs": 1}
    found = compressed("channels", RECIPE.with_fields({**fields, "prune.sparsity": 0.5}))
    content = convert(found.model, "int8")
    changed = []
    for _, _, values, layout in kernels_of(parse_model(content)):
        if layout.axis == 0 and layout.bytes >= 1024:
            assert max(len(np.unique(channel)) for channel in values) <= 8 < len(np.unique(values))
            assert np.mean(values == 0) == pytest.approx(0.5, abs=0.03)
            encoded = CODECS["lut"].encode(values, layout)
            width, stride = read_shape(encoded.ancillary)
            assert (width, stride <= 8) == (3, True)
            assert len(encoded.ancillary) == HEADER_BYTES + stride * len(values)
            np.testing.assert_array_equal(decode(encoded.values, encoded.ancillary, layout), values)
            changed.append(values)
    assert len(changed) == 2

    spec, pixels = NETWORK.input, data.test.images[:64]
    file = TFLiteModel(convert(found.model, "float32"), mean=spec.mean, std=spec.std)
    expected = found.model(spec.normalise(pixels)).numpy()
    assert parity(Classification(), file.scores, expected, file.run_raw(pixels))["max_lsb"] <= 1

    form = McuForm(content, "lut")
    assert kernel_forms(form.small)["lut"] > 0
    inputs = (pixels ^ 0x80).view(np.int8)
    plain, small = (MicroModel(one).run(inputs) for one in (form.plain, form.small))
    np.testing.assert_array_equal(small, plain)
    np.testing.assert_array_equal(*run_both(content, inputs, "lut"))


@pytest.mark.slow
def test_the_file_keeps_zeros_and_4_bits(compressed, data):
    """Training with 8 bits afterwards changes other kernels, and leaves these at 4."""
    recipe = RECIPE.with_fields({"compress": "prune,int4,qat", "prune.epochs": 1, "int4.epochs": 1})
    narrow = compressed("narrow", recipe)
    assert {*narrow.history} == {"prune", "int4", "qat"}
    content = convert(narrow.model, "int8")
    for op, _, values, layout in kernels_of(parse_model(content)):
        largest = np.abs(values.astype(int)).reshape(len(values), -1).max(axis=1)
        if values.shape[1:3] == (1, 1) and layout.bytes >= 1024:
            assert set(largest) == {7}
            assert np.mean(values == 0) >= 0.8
        else:
            assert largest.max() == 127, op

    spec, pixels = NETWORK.input, data.test.images[:64]
    file = TFLiteModel(convert(narrow.model, "float32"), mean=spec.mean, std=spec.std)
    expected = narrow.model(spec.normalise(pixels)).numpy()
    assert parity(Classification(), file.scores, expected, file.run_raw(pixels))["max_lsb"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["pq", "hash"])
def test_the_file_keeps_vectors_and_hashed_weights(compressed, stage):
    """Also after training with 8 bits; plain C stores the kernels so."""
    recipe = RECIPE.with_fields({"compress": f"{stage},qat", f"{stage}.epochs": 1})
    small = compressed(stage, recipe)
    assert {*small.history} == {stage, "qat"}
    facts = list(kernel_facts(convert(small.model, "int8")))
    changed = [one for one in facts if one["op"] == "CONV_2D" and one["bytes"] >= 1024]
    assert [one["stored_as"] for one in changed] == [stage, stage]
    # A table of a value for two weights; 6 bits for two weights, and 64 vectors.
    for one in changed:
        most = one["bytes"] // 2 + 24 if stage == "hash" else one["bytes"] * 3 // 8 + 16 + 128
        assert one["stored_bytes"] <= most
    assert not {one["stored_as"] for one in facts if one not in changed} & {"pq", "hash"}


@pytest.mark.slow
def test_interrupted_stages_continue(whole, compressed, monkeypatch):
    """Stop while zeros become more, and while values are learned."""
    remember, calls = SaveState.on_epoch_end, count(1)

    def stop(self, epoch, logs=None):
        remember(self, epoch, logs)
        if next(calls) in (1, 3):
            raise KeyboardInterrupt

    monkeypatch.setattr(SaveState, "on_epoch_end", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            compressed("stopped")
    again = compressed("stopped")
    assert next(calls) == 5
    for left, right in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


def test_a_centroid_is_trained_by_the_sum_of_its_weights_gradients(data):
    few = calibration_images(data.train, NETWORK, 16, seed=0)
    plain = quantize_aware(deploy_form(built()), few, NETWORK.input)
    layer = share_weights(plain, {"conv_preds": 4}).get_layer("conv_preds")
    quantizer, wanted = layer.weight_quantizer, np.random.default_rng(0).normal(size=(2560,))
    with tf.GradientTape() as tape:
        kernel = quantizer(layer.weight, True, {})
        loss = tf.reduce_sum(kernel * wanted.reshape(kernel.shape).astype(np.float32))
    by_table, by_weight = tape.gradient(loss, [quantizer.table, layer.weight])
    limits = quantizer.limits(layer.weight).numpy()
    integers = np.rint(kernel.numpy() / (limits / 127)).reshape(-1)
    scaled = (by_weight.numpy() * limits).reshape(-1)
    sums = [scaled[integers == value].sum() for value in np.unique(integers)]
    np.testing.assert_allclose(by_table, sums, rtol=1e-3)
    np.testing.assert_allclose(by_weight.numpy().reshape(-1), wanted, rtol=1e-4)


def test_groups_and_depthwise_kernels():
    model, settings = built(), Prune(sparsity=0.5, group=4, smallest=1, depthwise=True)
    assert len(kernels(model, settings)) == 6
    assert len(kernels(model, Prune(smallest=1))) == 4
    assert len(kernels(model, Cluster())) == 2
    kernel = np.random.default_rng(0).normal(size=(1, 1, 8, 6))
    groups = pruning_of(settings)(kernel, 0.5).reshape(2, 4, 6)
    assert ((groups == 0).sum(axis=1) == 2).all()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"compress": "cluster,prune"}, "compress is 'cluster,prune'; it must be some of prune"),
        ({"compress": "qat,qat"}, "each once"),
        ({"compress": ""}, "compress is ''"),
        ({"prune.group": 4, "prune.block_rows": 2}, "prune.group is 4; it must be 0"),
        ({"cluster.per_channel": 2}, "cluster.per_channel"),
        ({"cluster.values": 1}, "cluster.values is 1; it must be from 2 to 128"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, said):
    with pytest.raises(UserError, match=said):
        RECIPE.with_fields(fields)


def test_only_what_comes_before_a_stage_decides_whether_it_must_be_trained_again():
    sooner = RECIPE.with_fields({"compress": "prune,qat", "cluster.values": 9})
    assert sooner.made_by("prune") == RECIPE.made_by("prune")
    assert RECIPE.made_by("qat") != RECIPE.with_fields({"cluster.values": 9}).made_by("qat")
    assert load_recipe("small_data").made_by("qat") == ""  # as in checkpoints of earlier versions
