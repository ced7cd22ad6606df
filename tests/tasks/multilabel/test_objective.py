"""Binary cross-entropy of several labels, and its weights."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from sklearn.utils.class_weight import compute_class_weight

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.multilabel.objective import BinaryCrossEntropy

OBJECTIVE = BinaryCrossEntropy(3)
STUDENT = make_network("v1", 0.25, 32, 3).with_logits()


@pytest.fixture(scope="module")
def guesses():
    random = np.random.default_rng(0)
    labels = (random.random((40, 3)) < (0.5, 0.1, 0.3)).astype(np.uint8)
    return random.normal(0, 2, (40, 3)).astype(np.float32), labels


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_that_of_keras(guesses, smoothing):
    logits, labels = guesses
    targets = OBJECTIVE.targets(tf.constant(labels), None)
    expected = keras.losses.BinaryCrossentropy(True, label_smoothing=smoothing)(targets, logits)
    found = OBJECTIVE.loss(smoothing)(targets, logits)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_weights_let_having_a_label_and_not_having_it_count_the_same(guesses):
    logits, labels = guesses
    weights = OBJECTIVE.class_weights(labels)
    for index in range(3):
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels[:, index])
        np.testing.assert_allclose(weights[:, index], expected, rtol=1e-6)
    targets = OBJECTIVE.targets(tf.constant(labels), None)
    each = OBJECTIVE.weights(targets, weights).numpy()
    np.testing.assert_allclose(each.mean(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose((each * labels).sum(axis=0), 20, rtol=1e-5)
    # A picture without labels counts, too; and the weighted loss is the mean over all labels.
    assert (each[labels.sum(axis=1) == 0] > 0).all()
    losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits).numpy()
    found = OBJECTIVE.loss(0.0)(targets, logits, each)
    np.testing.assert_allclose(found, (losses * each).mean(), rtol=1e-5)
    # A label that all or none have keeps the weight 1.
    constant = np.array([[1, 0, 1], [1, 0, 0]], np.uint8)
    np.testing.assert_allclose(OBJECTIVE.class_weights(constant)[:, :2], 1)


def test_the_metric_of_an_epoch_is_close_to_mean_average_precision(guesses):
    from sklearn.metrics import average_precision_score

    logits, labels = guesses
    (metric,) = OBJECTIVE.metrics()
    assert metric.name == "map"
    metric.update_state(tf.cast(labels, tf.float32), logits)
    assert float(metric.result()) == pytest.approx(
        average_precision_score(labels, logits, average="macro"), abs=0.03
    )


def test_a_teacher_with_a_sigmoid_teaches_its_logits(guesses):
    logits, _ = guesses
    given = keras.Input((3,))
    plain = keras.Model(given, keras.layers.Activation("linear")(given))
    squashed = keras.Model(given, keras.layers.Activation("sigmoid")(given))
    for model in (plain, squashed):
        taught = OBJECTIVE.teaching(model, STUDENT, "teacher.keras", [2, 0, 1])(model(logits))
        np.testing.assert_allclose(taught, logits[:, [2, 0, 1]], rtol=1e-3, atol=1e-4)
    softmax = keras.Model(given, keras.layers.Activation("softmax")(given))
    with pytest.raises(UserError, match="ends in the activation 'softmax'; a teacher needs a sig"):
        OBJECTIVE.teaching(softmax, STUDENT, "teacher.keras", None)
    with pytest.raises(UserError, match="a teacher needs outputs of 4 values"):
        BinaryCrossEntropy(4).teaching(plain, STUDENT.with_classes(4), "teacher.keras", None)
    # The loss is least where the student says what the teacher says.
    same, other = (
        OBJECTIVE.soft_loss(tf.constant(logits), tf.constant(one), 2.0)
        for one in (logits, logits + 1)
    )
    assert same < other


def test_labels_of_another_number_are_refused(guesses):
    with pytest.raises(UserError, match="classes is 3, but the images have 2 labels"):
        OBJECTIVE.check(guesses[1][:, :2])
