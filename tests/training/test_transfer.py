from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy
from mobilenet_tf.training.learner import make_learner
from mobilenet_tf.training.recipe import Transfer, load_recipe
from mobilenet_tf.training.transfer import freeze, phases, unfreeze

HEADS = {"v1": {"conv_preds"}, "v2": {"predictions"}, "v3_small": {"Conv_2", "Logits"}}


@pytest.mark.parametrize("name", HEADS)
def test_at_first_only_the_head_is_trained(name):
    spec = make_network(name, 0.35, 32, classes=3)
    model = build(name, 0.35, 32, classes=3)
    freeze(model, spec, 0.0, Transfer())
    learning = {layer.name for layer in model.layers if layer.trainable and layer.weights}
    assert learning == HEADS[name]
    unfreeze(model)
    assert all(layer.trainable for layer in model.layers)


def test_then_the_upper_layers_are_trained():
    """With `bn_inference`, all of them except batch normalization."""
    spec, model = make_network("v2", 0.35, 32, classes=3), build("v2", 0.35, 32, classes=3)
    freeze(model, spec, 0.5, Transfer())
    learns = [layer.trainable for layer in model.layers if layer.weights]
    assert learns == sorted(learns)
    assert sum(learns) == round(len(learns) / 2)
    freeze(model, spec, 0.5, Transfer(bn_inference=True))
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert not any(norm.trainable for norm in norms)
    assert sum(layer.trainable for layer in model.layers if layer.weights) == sum(learns) - sum(
        layer in norms for layer in [x for x in model.layers if x.weights][-sum(learns) :]
    )


def test_frozen_layers_do_not_change():
    """Nor do the statistics of batch normalization, which runs in inference mode."""
    spec = make_network("v1", 0.25, 32, classes=3)
    model = build("v1", 0.25, 32, classes=3, dropout=0.0)
    (phase, *_) = phases(load_recipe("transfer"))
    freeze(model, spec, phase.share, Transfer())
    before = {layer.name: layer.get_weights() for layer in model.layers}
    learner = make_learner(model, CrossEntropy(3), replace(phase.stage, warmup=0.0), 10)
    pictures = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)), tf.float32)
    np.testing.assert_array_equal(learner(pictures, training=True), learner(pictures))
    learner.train_step((pictures, tf.one_hot([0, 1, 2, 0], 3)))
    changed = {
        layer.name
        for layer in model.layers
        if any(map(np.any, map(np.subtract, layer.get_weights(), before[layer.name])))
    }
    assert changed == {"conv_preds"}


def test_phases_share_the_epochs():
    recipe = load_recipe("transfer").with_fields({"train.epochs": 10, "transfer.frozen": 0.3})
    head, rest = phases(recipe)
    assert (head.stage.epochs, rest.stage.epochs) == (3, 7)
    assert head.stage.learning_rate == recipe.train.learning_rate
    assert rest.stage.learning_rate == pytest.approx(
        recipe.train.learning_rate * recipe.transfer.rate
    )
    assert (head.share, rest.share) == (0.0, recipe.transfer.unfrozen)
    (only,) = phases(load_recipe("small_data"))
    assert only.stage == load_recipe("small_data").train
    assert only.share == 1.0
