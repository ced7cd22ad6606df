"""What each kernel tolerates: the scan of all kernels, and the choice within a budget."""

from dataclasses import replace

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware, with_stored_scales
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.deployment.tflite.compressed.kernel_facts import stored_size
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.training.compression_settings import Setting, Trial
from mobilenet_tf.training.fit import Session
from mobilenet_tf.training.recipe import load_recipe
from mobilenet_tf.training.sensitivity import changed, choose, measure
from tests.training.test_compress import NETWORK

PLAIN, FEW, ZEROS = Setting(), Setting(values=8), Setting(sparsity=0.9)


def trial(kernel: str, setting: Setting, size: int, loss: float) -> Trial:
    return Trial(kernel=kernel, setting=setting, bytes=size, loss=loss, score=0.0)


TRIALS = [
    *(trial("a", PLAIN, 1000, 0.0), trial("a", FEW, 500, 0.5), trial("a", ZEROS, 200, 0.6)),
    *(trial("b", PLAIN, 4000, 0.0), trial("b", FEW, 2000, 0.1), trial("b", ZEROS, 1500, 2.0)),
]


@pytest.mark.parametrize(
    ("most", "a", "b"),
    [
        (5000, PLAIN, PLAIN),
        (4999, PLAIN, FEW),  # 0.1 for 2,000 bytes
        (2999, ZEROS, FEW),  # 0.6 for 800 bytes; 500 bytes would cost almost as much
        (2199, ZEROS, ZEROS),
    ],
)
def test_what_loses_least_per_byte_is_chosen_first(most, a, b):
    assert choose(TRIALS, most) == {"a": a, "b": b}


def test_a_budget_that_nothing_meets_is_refused():
    with pytest.raises(UserError, match="leaves 1,000 bytes for kernels, which take 1,700"):
        choose(TRIALS, 1000)


def test_every_kernel_is_measured_at_every_setting(tmp_path):
    data = load_data("digits", NETWORK.input, seed=0)
    keras.utils.set_random_seed(1)
    few = calibration_images(data.train, NETWORK, 64, seed=0)
    model = quantize_aware(deploy_form(build_network(NETWORK)), few, NETWORK.input)
    recipe = load_recipe("small_data").with_fields({"compress": "cluster,qat"})
    session = Session(
        dataset=data,
        task=Classification(),
        network=NETWORK,
        batch=32,
        seed=0,
        checkpoints=tmp_path,
        logs=tmp_path,
    )
    model = with_stored_scales(model, list(changed(model, recipe)))
    before = model.get_weights()
    found = list(measure(model, recipe, session, stored_size))
    for left, right in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert [(one.kernel, one.setting.values) for one in found] == [
        (kernel, values) for kernel in ("conv_pw_2", "conv_preds") for values in (0, 64, 32, 16, 8)
    ]
    plain, *others = found[:5]
    assert (plain.loss, plain.score, plain.bytes) == (0.0, 0.0, 8192)
    assert all(one.loss != 0 for one in others)
    sizes = [one.bytes for one in found[:5]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[3] < 8192 / 2 + 300  # an index of 4 bits

    known = [replace(one, loss=7.0) for one in found[2:4]]
    again = list(measure(model, recipe, session, stored_size, known))
    assert again[2:4] == known
    assert [*again[:2], *again[4:]] == [*found[:2], *found[4:]]

    narrowed = recipe.with_fields({"compress": "int4,qat"})
    found = list(measure(model, narrowed, session, stored_size))
    assert [one.setting.bits for one in found] == [8, 4, 8, 4]
    wide, narrow, *_ = found
    assert (wide.loss, wide.bytes) == (0.0, 8192)
    assert narrow.loss != 0
    assert narrow.bytes < 8192 / 2 + 300
    assert str(narrow.setting) == "4 bits"
