import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy
from mobilenet_tf.training.distillation import as_teacher
from mobilenet_tf.training.learner import make_learner
from mobilenet_tf.training.recipe import Distillation, Stage

STUDENT = make_network("v1", 0.25, 32, classes=3)
OBJECTIVE = CrossEntropy(3)
PICTURES = tf.constant(np.random.default_rng(1).uniform(-1, 1, (8, 32, 32, 3)), tf.float32)


@pytest.fixture(scope="module")
def larger():
    keras.utils.set_random_seed(2)
    return build("v1", 0.25, 64, classes=3)


def test_the_loss_is_hintons():
    """T^2 times the cross-entropy of the softened distributions, computed with NumPy."""
    random = np.random.default_rng(0)
    teacher, student = random.normal(size=(2, 5, 4)).astype(np.float32) * 3

    def soften(logits):
        powers = np.exp(logits / 2.5)
        return powers / powers.sum(1, keepdims=True)

    expected = 2.5**2 * -(soften(teacher) * np.log(soften(student))).sum(1).mean()
    assert float(OBJECTIVE.soft_loss(teacher, student, 2.5)) == pytest.approx(expected, rel=1e-5)


def test_the_size_of_the_gradient_does_not_depend_on_the_temperature():
    """For large T it approaches the difference of the logits (section 2.1)."""
    teacher = tf.constant([[2.0, 0.0, -2.0]])
    student = tf.Variable([[0.0, 0.5, -0.5]])
    steps = []
    for temperature in (200.0, 1000.0):
        with tf.GradientTape() as tape:
            loss = OBJECTIVE.soft_loss(teacher, student, temperature)
        steps.append(tape.gradient(loss, student).numpy())
    np.testing.assert_allclose(steps[0], steps[1], rtol=0.03, atol=1e-3)
    np.testing.assert_allclose(steps[1], (student - teacher) / 3, rtol=0.01, atol=1e-3)


def test_a_teacher_of_another_size_and_normalisation(larger):
    """It receives the student's images with its own size and normalisation."""
    own = InputSpec(mean=0.0, std=255.0)
    teach = as_teacher(larger, STUDENT, OBJECTIVE, own, "larger")
    pixels = PICTURES * 127.5 + 128.0
    scores = larger(tf.image.resize(pixels / 255.0, (64, 64)), training=False)
    np.testing.assert_allclose(tf.nn.softmax(teach(PICTURES)), scores, atol=1e-5)


def test_a_teacher_with_logits(larger):
    logits = keras.Model(larger.input, larger.layers[-1].input)
    teach = as_teacher(logits, STUDENT, OBJECTIVE, STUDENT.input, "logits")
    expected = logits(tf.image.resize(PICTURES, (64, 64)), training=False)
    np.testing.assert_allclose(teach(PICTURES), expected, atol=1e-5)


def test_a_softmax_deep_in_a_teacher_gives_probabilities(larger):
    nested = keras.Sequential([keras.Input((64, 64, 3)), larger])
    teach = as_teacher(nested, STUDENT, OBJECTIVE, STUDENT.input, "nested")
    direct = as_teacher(larger, STUDENT, OBJECTIVE, STUDENT.input, "larger")
    np.testing.assert_allclose(teach(PICTURES), direct(PICTURES), atol=1e-5)


def test_outputs_are_put_into_the_order_of_the_student(larger):
    direct = as_teacher(larger, STUDENT, OBJECTIVE, STUDENT.input, "larger")(PICTURES)
    teach = as_teacher(larger, STUDENT, OBJECTIVE, STUDENT.input, "larger", (2, 0, 1))
    np.testing.assert_array_equal(teach(PICTURES), np.asarray(direct)[:, [2, 0, 1]])


def _ending(units, activation="softmax", channels=3):
    inputs = keras.Input((8, 8, channels))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, keras.layers.Dense(units, activation)(pooled))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            _ending(4),
            r"has the output \(None, 4\); a teacher needs one score per class, \(None, 3\)",
        ),
        (
            _ending(3, "sigmoid"),
            "ends in the activation 'sigmoid'; a teacher needs softmax or logits",
        ),
        (
            _ending(3, channels=1),
            r"has the input \(None, 8, 8, 1\); a teacher needs images with 3 channels",
        ),
    ],
)
def test_an_unsuitable_teacher_is_rejected(model, message):
    with pytest.raises(UserError, match=message):
        as_teacher(model, STUDENT, OBJECTIVE, STUDENT.input, "it")


def test_the_teachers_weights_are_not_the_students(larger):
    """They are neither trained nor among the learner's weights, and the student follows them."""
    network = build("v1", 0.25, 32, classes=3, dropout=0.0)
    teach = as_teacher(larger, STUDENT, OBJECTIVE, STUDENT.input, "larger")
    stage = Stage(1, 1e-3, warmup=0.0, distillation=Distillation(1.0, 1.0))
    learner = make_learner(network, OBJECTIVE, stage, 100, teach)
    before = larger.get_weights()

    def gap():
        return float(OBJECTIVE.soft_loss(teach(PICTURES), learner(PICTURES, training=True), 1.0))

    first = gap()
    labels = tf.one_hot([0] * 8, 3)
    for _ in range(5):
        learner.train_step((PICTURES, labels))
    assert gap() < first
    assert len(learner.weights) == len(network.weights)
    for old, new in zip(before, larger.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
