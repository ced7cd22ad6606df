"""Parts of a training step, with a network of two layers that compiles quickly."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy
from mobilenet_tf.training.learner import make_learner
from mobilenet_tf.training.optimizer_settings import Decay, Optimizer
from mobilenet_tf.training.recipe import Distillation, Stage

CLASSES = 3
RANDOM = np.random.default_rng(0)
INPUTS = tf.constant(RANDOM.normal(size=(64, 4)), tf.float32)
LABELS = tf.one_hot(RANDOM.integers(0, CLASSES, 64), CLASSES)
OBJECTIVE = CrossEntropy(CLASSES)


def stage(**changes) -> Stage:
    """Plain SGD with a constant learning rate and nothing else, except for `changes`."""
    plain = {
        "epochs": 1,
        "learning_rate": 0.1,
        "warmup": 0.0,
        "decay": Decay("step", 1.0),
        "optimizer": Optimizer("sgd", momentum=0.0),
        "label_smoothing": 0.0,
        "clip_norm": 0.0,
    }
    return Stage(**plain | changes)


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, name="hidden")(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.5)(x))
    logits = keras.layers.Dense(CLASSES, name="logits")(x)
    return keras.Model(inputs, keras.layers.Softmax()(logits))


def after(model, steps=1, teacher=None, class_weights=None, **changes):
    """Train a copy of the model and return its learner; the model itself is unchanged."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    learner = make_learner(copy, OBJECTIVE, stage(**changes), steps, teacher)
    learner.class_weights = class_weights
    batches = tf.data.Dataset.from_tensor_slices((INPUTS, LABELS)).batch(64 // steps)
    learner.fit(batches, verbose=0)
    return learner


def test_l2_is_that_of_the_papers_and_for_kernels_only(model):
    """The gradient is l2 * kernel as in TF-slim; Keras's L2 has twice the effect."""
    plain, with_l2 = after(model), after(model, l2=0.5)
    for before, old, new in zip(
        model.trainable_variables,
        plain.trainable_variables,
        with_l2.trainable_variables,
        strict=True,
    ):
        pulled = 0.1 * 0.5 * before.numpy() if before.shape.rank > 1 else 0
        np.testing.assert_allclose(new.numpy(), old.numpy() - pulled, atol=1e-6)


def test_class_weights(model):
    """The loss is as if each image were repeated as often as its weight says."""
    weights = np.array([1.0, 0.0, 2.0], np.float32)
    learner = make_learner(model, OBJECTIVE, stage(), 1)
    logits = learner(INPUTS, training=True).numpy()
    losses = np.log(np.exp(logits).sum(1)) - (logits * LABELS.numpy()).sum(1)
    learner.class_weights = weights
    loss = learner.train_step((INPUTS, LABELS))["loss"]
    assert float(loss) == pytest.approx((losses * (LABELS.numpy() @ weights)).mean(), rel=1e-4)


def test_all_classes_weigh_the_same():
    labels = np.array([0] * 6 + [2] * 2)
    weights = OBJECTIVE.class_weights(labels)
    assert 6 * weights[0] == pytest.approx(2 * weights[2])
    assert weights[labels].mean() == pytest.approx(1.0)


def test_the_average_of_the_weights(model):
    """It includes the statistics of batch normalization, and it is what is validated."""
    learner = make_learner(model, OBJECTIVE, stage(ema=0.3), 4)
    expected = learner.get_weights()
    rows = np.split(np.arange(64), 4)
    for done, batch in enumerate(rows, start=1):
        learner.train_step((tf.gather(INPUTS, batch), tf.gather(LABELS, batch)))
        kept = min(0.3, (1 + done) / (10 + done))
        now = learner.get_weights()
        expected = [kept * old + (1 - kept) * new for old, new in zip(expected, now, strict=True)]
    assert (1 + 3) / (10 + 3) > 0.3 > (1 + 2) / (10 + 2)  # both sides of the minimum occur
    for average, value in zip(learner.average.get_weights(), expected, strict=True):
        np.testing.assert_allclose(average, value, atol=1e-6)

    validated = learner.evaluate(INPUTS, LABELS, callbacks=[learner.average], verbose=0)[0]
    assert validated != learner.evaluate(INPUTS, LABELS, verbose=0)[0]
    learner.set_weights(expected)
    assert learner.evaluate(INPUTS, LABELS, verbose=0)[0] == pytest.approx(validated, rel=1e-5)


def test_the_average_is_part_of_a_checkpoint(model):
    plain, averaged = (
        make_learner(model, OBJECTIVE, stage(), 1),
        make_learner(model, OBJECTIVE, stage(ema=0.9), 1),
    )
    more = len(averaged.optimizer.variables) - len(plain.optimizer.variables)
    assert more == len(model.get_weights())


def test_label_smoothing(model):
    learner = make_learner(model, OBJECTIVE, stage(label_smoothing=0.3), 1)
    logits = learner(INPUTS).numpy()
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -((0.7 * LABELS.numpy() + 0.3 / CLASSES) * logs).sum(1).mean()
    assert learner.evaluate(INPUTS, LABELS, verbose=0)[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(model, precision):
    """16 bits inside, 32 in weights and logits, and nearly the same steps as with 32."""
    learner, plain = after(model, 2, precision=precision), after(model, 2)
    assert learner.get_layer("hidden").compute_dtype == precision.removeprefix("mixed_")
    assert learner.output.dtype == "float32"
    scaled = isinstance(learner.optimizer, keras.mixed_precision.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")
    starts = plain.get_layer("hidden").kernel, learner.get_layer("hidden").kernel
    assert all(kernel.dtype == "float32" for kernel in starts)
    before = model.get_layer("hidden").kernel.numpy()
    moved = [kernel.numpy() - before for kernel in starts]
    assert np.abs(moved[0]).max() > 1e-3
    np.testing.assert_allclose(moved[1], moved[0], atol=2e-3)


def test_every_layer_of_a_network_can_be_in_mixed_precision():
    network = build("v3_small", 0.35, 32, classes=CLASSES)
    learner = make_learner(network, OBJECTIVE, stage(precision="mixed_bfloat16"), 1)
    pictures = RANDOM.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    inside = [layer.compute_dtype for layer in learner.layers[1:-1]]
    assert set(inside) == {"bfloat16"}
    scores = np.asarray(keras.activations.softmax(learner(pictures)))
    np.testing.assert_allclose(scores, network(pictures), atol=0.02)
    for old, new in zip(network.get_weights(), learner.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_xla(model):
    """The step is compiled and gives the same weights."""
    compiled, plain = after(model, 2, xla=True, ema=0.9), after(model, 2, ema=0.9)
    assert compiled.jit_compile
    for one, other in zip(compiled.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_teacher_and_labels_share_the_loss(model):
    """Weight 1 ignores the labels, 0 the teacher; in between the steps are a weighted sum."""
    wanted = RANDOM.normal(size=(64, CLASSES)).astype(np.float32)

    def step(**changes):
        trained = after(model, **changes).trainable_variables
        pairs = zip(model.trainable_variables, trained, strict=True)
        return np.concatenate([(new.numpy() - old.numpy()).ravel() for old, new in pairs])

    def taught(weight):
        return step(teacher=lambda _: wanted, distillation=Distillation(2.0, weight))

    hard, soft = taught(0.0), taught(1.0)
    np.testing.assert_allclose(hard, step(), atol=1e-6)
    np.testing.assert_allclose(taught(0.25), 0.75 * hard + 0.25 * soft, atol=1e-6)
    assert np.abs(soft - hard).max() > 1e-3
