"""API-Net's pairs and losses against a direct computation in NumPy."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.pairs import PairedCrossEntropy, nearest_pairs
from mobilenet_tf.training.learner import make_learner
from mobilenet_tf.training.recipe import Stage
from tests.conftest import enliven
from tests.short import shallow

CLASSES = 3
LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])
OBJECTIVE = PairedCrossEntropy(CLASSES)
STAGE = Stage(epochs=1, learning_rate=1e-3, label_smoothing=0.0)


@pytest.fixture(scope="module")
def batch(pictures):
    return make_network("v1", 0.25, 48, CLASSES).input.normalise(pictures[: len(LABELS)])


def direct_pairs(features, labels):
    distances = ((features[:, None] - features[None]) ** 2).sum(axis=2)
    pairs = []
    for same_class in (True, False):
        for row, label in enumerate(labels):
            others = [
                other
                for other in range(len(labels))
                if other != row and (labels[other] == label) == same_class
            ]
            pairs.append((row, min(others, key=lambda other: distances[row, other])))
    return pairs


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def direct_loss(features, labels, weights):
    """The loss as the authors' code computes it, pair by pair, without dropout."""
    hidden, hidden_bias, mutual, mutual_bias, kernel, bias = map(np.float64, weights)
    entropies, ranks = [], []
    for one, two in direct_pairs(features, labels):
        first, second = features[one].astype(np.float64), features[two].astype(np.float64)
        common = (np.concatenate([first, second]) @ hidden + hidden_bias) @ mutual + mutual_bias
        gates = [1 / (1 + np.exp(-common * x)) for x in (first, second)]
        for x, own, other, label in (
            (first, gates[0], gates[1], labels[one]),
            (second, gates[1], gates[0], labels[two]),
        ):
            by_self, by_other = (
                softmax((x + x * gate) @ kernel + bias)[label] for gate in (own, other)
            )
            entropies += [-np.log(by_self), -np.log(by_other)]
            ranks.append(max(0.0, by_other - by_self + 0.05))
    assert len(entropies) == 4 * len(direct_pairs(features, labels))
    return np.mean(entropies) + np.mean(ranks)


def test_pairs_are_the_nearest_of_both_kinds():
    features = np.random.default_rng(0).normal(0, 1, (8, 5)).astype(np.float32)
    pairs = nearest_pairs(features, LABELS[:, None] == LABELS[None])
    expected = direct_pairs(features, LABELS)
    assert list(zip(*(part.numpy().tolist() for part in pairs), strict=True)) == expected


def test_a_picture_without_a_partner_has_itself():
    features = np.eye(3, dtype=np.float32)
    pairs = nearest_pairs(features, np.eye(3, dtype=bool))
    assert pairs.second.numpy()[:3].tolist() == [0, 1, 2]
    assert (pairs.second.numpy()[3:] != [0, 1, 2]).all()


@pytest.mark.parametrize(("network", "quantized"), [("v1", False), ("v2", True)])
def test_training_loss(batch, network, quantized, monkeypatch):
    described = shallow(make_network(network, 0.25, 48, CLASSES))
    model = build_network(described, dropout=0.4)
    enliven(model, batch)
    if quantized:
        model = quantize_aware(deploy_form(model), batch, described.input)
    learner = make_learner(model, OBJECTIVE, STAGE, 1)
    targets = OBJECTIVE.targets(tf.constant(LABELS), None)
    outputs = learner(batch, training=False)
    features = outputs.numpy()[:, CLASSES:]
    assert features.std() > 0
    layer = learner.get_layer("comparison")
    monkeypatch.setattr(layer, "dropped", lambda inputs: inputs)
    name = {"v1": "conv_preds", "v2": "predictions"}[network]
    own = model.get_layer(name)
    weights = getattr(own, "layer", own)
    kernel, bias = (weights.kernel, weights.bias) if not quantized else own.trainable_weights
    if tf.rank(kernel) == 1:
        kernel, bias = bias, kernel
    weights = [*layer.get_weights(), kernel.numpy().reshape(-1, CLASSES), bias.numpy()]
    expected = direct_loss(features, LABELS, weights)
    found = OBJECTIVE.training_loss(learner, outputs, targets, None)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_gradients_reach_everything(batch):
    model = build_network(shallow(make_network("v1", 0.25, 48, CLASSES)))
    enliven(model, batch)
    learner = make_learner(model, OBJECTIVE, STAGE, 8)
    before = [weight.numpy() for weight in learner.trainable_variables]
    learner.fit(batch, OBJECTIVE.targets(tf.constant(LABELS), None), 8, epochs=2, verbose=0)
    after = [weight.numpy() for weight in learner.trainable_variables]
    assert all((a != b).any() for a, b in zip(before, after, strict=True))


def test_validation_and_output_are_those_of_the_plain_classifier(batch):
    model = build_network(shallow(make_network("v1", 0.25, 48, CLASSES)))
    enliven(model, batch)  # otherwise all scores are nearly the same, and rounding decides
    learner = make_learner(model, OBJECTIVE, STAGE, 1)
    targets = OBJECTIVE.targets(tf.constant(LABELS), None)
    found = learner.evaluate(batch, targets, return_dict=True, verbose=0)
    scores = model.predict(batch, verbose=0)
    plain = keras.losses.categorical_crossentropy(targets, scores).numpy().mean()
    assert found["loss"] == pytest.approx(plain, rel=1e-4)
    assert found["accuracy"] == pytest.approx((scores.argmax(1) == LABELS).mean())
    outputs = learner.predict(batch, verbose=0)
    teacher = np.random.default_rng(0).normal(0, 1, (8, CLASSES))
    expected = OBJECTIVE.soft_loss(teacher, outputs, 2.0)
    logits = np.log(scores)
    smooth = [softmax(row / 2) for row in teacher]
    direct = -4 * np.mean([s @ np.log(softmax(x / 2)) for s, x in zip(smooth, logits, strict=True)])
    assert float(expected) == pytest.approx(direct, rel=1e-4)


def test_class_weights_are_refused():
    with pytest.raises(UserError, match="class_weights"):
        OBJECTIVE.class_weights(LABELS)
