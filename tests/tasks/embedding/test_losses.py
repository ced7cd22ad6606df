"""Losses of embeddings and their gradients against direct computations in NumPy."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.tasks.embedding.margin_softmax import MarginSoftmax
from mobilenet_tf.tasks.embedding.similarity import unit
from mobilenet_tf.tasks.embedding.task import Embedding
from mobilenet_tf.tasks.embedding.triplets import Triplets

CLASSES, DIMENSION = 5, 8


@pytest.fixture(scope="module")
def batch():
    """Vectors (12, 8), labels (12,) and centres (5, 8)."""
    random = np.random.default_rng(0)
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4])
    vectors = random.normal(0, 1, (12, DIMENSION)) + 2 * np.eye(DIMENSION)[labels]
    return vectors.astype(np.float32), labels, random.normal(0, 1, (CLASSES, DIMENSION))


def one_hot(labels):
    return np.eye(CLASSES, dtype=np.float32)[labels]


def cross_entropy(logits, labels):
    logits = logits.astype(np.float64)
    total = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    return total - logits[np.arange(len(labels)), labels]


@pytest.mark.parametrize("margin", [0.0, 0.5])
@pytest.mark.parametrize("additive_angle", [True, False])
def test_margin_softmax(batch, margin, additive_angle):
    vectors, labels, centres = batch
    objective = MarginSoftmax(CLASSES, 2, margin, 16.0, additive_angle)
    cosines = unit(vectors) @ unit(centres).T
    outputs = np.hstack([vectors, cosines]).astype(np.float32)
    expected = cosines.astype(np.float64)
    for row, label in enumerate(labels):
        cosine = expected[row, label]
        if not additive_angle:
            changed = cosine - margin
        elif np.arccos(cosine) + margin <= np.pi:
            changed = np.cos(np.arccos(cosine) + margin)
        else:
            changed = cosine - margin * np.sin(margin)
        expected[row, label] = changed
    found = objective.loss(0.0).call(one_hot(labels), outputs)
    np.testing.assert_allclose(found, cross_entropy(16 * expected, labels), rtol=1e-4, atol=1e-5)
    (accuracy,) = objective.metrics()
    accuracy.update_state(one_hot(labels), outputs)
    assert float(accuracy.result()) == pytest.approx((cosines.argmax(1) == labels).mean())


def test_a_larger_angle_never_costs_less():
    objective = MarginSoftmax(2, 2, 0.5, 1.0, additive_angle=True)
    cosines = tf.constant(np.cos(np.linspace(0.01, np.pi - 0.01, 200))[:, None], tf.float32)
    right = objective.logits(tf.ones((200, 1)), cosines).numpy()
    assert (np.diff(right[:, 0]) < 0).all()


def test_gradients_are_finite_where_vector_and_centre_agree(batch):
    objective = MarginSoftmax(CLASSES, 2, 0.5, 16.0, additive_angle=True)
    cosines = tf.Variable(np.eye(CLASSES, dtype=np.float32))
    with tf.GradientTape() as tape:
        outputs = tf.concat([tf.zeros((CLASSES, DIMENSION)), cosines], axis=1)
        loss = tf.reduce_sum(objective.loss(0.0).call(tf.eye(CLASSES), outputs))
    assert np.isfinite(tape.gradient(loss, cosines)).all()


def test_centres_are_weights_of_the_trained_model_only():
    keras.utils.set_random_seed(0)  # some random projections bring classes together
    inputs = keras.Input((DIMENSION,))
    model = keras.Model(inputs, keras.layers.Dense(DIMENSION, name="embedding")(inputs))
    objective = MarginSoftmax(CLASSES, 2, 0.5, 16.0, additive_angle=True)
    trained = objective.trained(model)
    assert len(trained.trainable_weights) == len(model.trainable_weights) + 1
    assert trained.output_shape == (None, DIMENSION + CLASSES)
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2, 4], 20)  # class 3 has no picture
    images = (random.normal(0, 0.1, (80, DIMENSION)) + np.eye(DIMENSION)[labels]).astype(np.float32)
    before = trained.get_layer("centres").centres.numpy()
    objective.prepare(trained, images, labels)
    after = trained.get_layer("centres").centres.numpy()
    np.testing.assert_array_equal(after[3], before[3])
    outputs = trained(images)
    present = np.asarray(objective.cosines(outputs))[:, [0, 1, 2, 4]]
    assert (np.array([0, 1, 2, 4])[present.argmax(1)] == labels).all()
    np.testing.assert_allclose(objective.vectors(outputs), model(images))


def triplet_loss(vectors, labels, margin):
    units = unit(vectors).astype(np.float64)
    distances = ((units[:, None] - units[None]) ** 2).sum(axis=2)
    losses = []
    for anchor in range(len(labels)):
        negatives = distances[anchor][labels != labels[anchor]]
        for positive in range(len(labels)):
            if positive == anchor or labels[positive] != labels[anchor] or not len(negatives):
                continue
            near = distances[anchor, positive]
            farther = negatives[negatives > near]
            chosen = farther.min() if len(farther) else negatives.max()
            losses.append(max(0.0, near - chosen + margin))
    return np.mean(losses) if losses else 0.0


def test_triplets_with_semi_hard_negatives(batch):
    vectors, labels, _ = batch
    random = np.random.default_rng(4)
    for one in (vectors, random.normal(0, 1, vectors.shape).astype(np.float32)):
        found = Triplets(CLASSES, 2, 0.2).loss(0.0)(one_hot(labels), one)
        expected = triplet_loss(one, labels, 0.2)
        assert expected > 0
        assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("labels", [[0] * 6, range(5), [2]])
def test_no_triplets_no_loss(labels):
    labels = np.array(labels)
    vectors = tf.Variable(np.random.default_rng(0).normal(0, 1, (len(labels), DIMENSION)))
    with tf.GradientTape() as tape:
        loss = Triplets(CLASSES, 2, 0.2).loss(0.0)(one_hot(labels), tf.cast(vectors, tf.float32))
    assert loss == 0
    assert np.isfinite(tape.gradient(loss, vectors)).all()


def test_triplets_count_the_nearest_other(batch):
    vectors, labels, _ = batch
    (metric,) = Triplets(CLASSES, 2, 0.2).metrics()
    metric.update_state(one_hot(labels), vectors)
    similarities = unit(vectors) @ unit(vectors).T - 2 * np.eye(12)
    assert float(metric.result()) == pytest.approx(
        (labels[similarities.argmax(1)] == labels).mean()
    )


@pytest.mark.parametrize("loss", ["arcface", "triplets"])
def test_a_teacher_is_learned_by_squared_difference(batch, loss):
    from mobilenet_tf.networks.zoo import make_network

    vectors, _, centres = batch
    task = Embedding(loss=loss, dimension=DIMENSION, held_out=("a", "b"))
    objective = task.objective(task.with_head(make_network("v1", 0.25, 32), CLASSES + 2))
    outputs = vectors
    if loss == "arcface":
        outputs = np.hstack([vectors, unit(vectors) @ unit(centres).T]).astype(np.float32)
    teacher = np.random.default_rng(2).normal(0, 3, vectors.shape)
    expected = np.square(unit(teacher) - unit(vectors)).sum(axis=1).mean()
    found = objective.soft_loss(teacher, outputs, 2.0)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_labels_and_class_weights():
    objective = Triplets(3, 2, 0.2)
    objective.check(np.array([0, 2]))
    with pytest.raises(UserError, match="labels up to 3"):
        objective.check(np.array([0, 3]))
    with pytest.raises(UserError, match="class_weights"):
        objective.class_weights(np.array([0, 1]))
