import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.training.optimizer import LearningRate, decays, learning_rate, make_optimizer
from mobilenet_tf.training.optimizer_settings import Decay, Optimizer
from mobilenet_tf.training.recipe import Stage


@pytest.fixture(scope="module")
def model():
    return build("v1", 0.25, 32, classes=10, channels=1, dropout=0.0)


def rates(stage: Stage, steps: int) -> np.ndarray:
    schedule = LearningRate.from_config(learning_rate(stage, steps).get_config())
    return np.array([float(schedule(step)) for step in range(steps)])


def test_warm_up_then_cosine():
    rate = rates(Stage(11, 1.0, warmup=1 / 11), 110)
    np.testing.assert_allclose(rate[:10], np.arange(1, 11) / 10, atol=1e-6)
    assert rate[59] == pytest.approx(0.5, abs=0.02)
    assert rate[-1] == pytest.approx(0.0, abs=1e-6)
    assert all(np.diff(rate[10:]) < 0)


def test_step_and_exponential_decay():
    """As in V3's paper: times 0.99 every 3 epochs; here an epoch has 2 steps."""
    step = rates(Stage(9, 0.1, warmup=0.0, decay=Decay("step", 0.99, 3.0)), 18)
    np.testing.assert_allclose(step, 0.1 * 0.99 ** np.repeat([0, 1, 2], 6), rtol=1e-5)
    smooth = rates(Stage(9, 0.1, warmup=0.0, decay=Decay("exponential", 0.99, 3.0)), 18)
    np.testing.assert_allclose(smooth, 0.1 * 0.99 ** (np.arange(18) / 6), rtol=1e-5)


@pytest.mark.parametrize("name", ["adamw", "rmsprop", "sgd"])
def test_weight_decay_skips_depthwise_kernels_and_vectors(model, name):
    """With zero gradients, only the decay changes a weight."""
    numbers = {"decay": Decay("step", 1.0), "optimizer": Optimizer(name)}
    stage = Stage(1, 0.1, warmup=0.0, weight_decay=0.5, **numbers)
    optimizer = make_optimizer(model, stage, 10)
    before = [variable.numpy() for variable in model.trainable_variables]
    zeros = [np.zeros_like(value) for value in before]
    optimizer.apply_gradients(zip(zeros, model.trainable_variables, strict=True))
    for variable, old in zip(model.trainable_variables, before, strict=True):
        decayed = len(old.shape) == 4 and "depthwise" not in variable.name
        expected = old * (1 - 0.1 * 0.5) if decayed else old
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4, err_msg=variable.name)


def test_decay_can_include_depthwise_kernels(model):
    names = [one.name for one in model.trainable_variables if decays(one, Stage(1, 0.1))]
    assert not any("depthwise" in name for name in names)
    stage = Stage(1, 0.1, decay_depthwise=True)
    more = [one.name for one in model.trainable_variables if decays(one, stage)]
    assert sum("depthwise" in name for name in more) == len(more) - len(names) == 13


def walk(stage: Stage, gradients: list[float]) -> np.ndarray:
    """Return the value of a single weight, initially 0, after each of the gradients."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="zeros")(inputs))
    optimizer, (kernel, _) = make_optimizer(model, stage, 1000), model.trainable_variables
    path = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant([[gradient]]), kernel)])
        path.append(float(kernel.numpy()[0, 0]))
    return np.array(path)


def test_rmsprop_is_that_of_the_papers():
    """As in TensorFlow 1: epsilon is under the root, the momentum includes the learning rate."""
    numbers = Optimizer("rmsprop", momentum=0.8, rho=0.7, epsilon=0.5)
    stage = Stage(1, 0.1, warmup=0.0, clip_norm=0.0, optimizer=numbers, decay=Decay("step", 1.0))
    place = square = step = 0.0
    expected = []
    for gradient in (2.0, -1.0, 3.0):
        square = 0.7 * square + 0.3 * gradient**2
        step = 0.8 * step + 0.1 * gradient / np.sqrt(square + 0.5)
        place -= step
        expected.append(place)
    np.testing.assert_allclose(walk(stage, [2.0, -1.0, 3.0]), expected, rtol=1e-5)


def test_momentum_and_clipping_of_sgd():
    sgd = Optimizer("sgd", momentum=0.5)
    stage = Stage(1, 0.1, warmup=0.0, clip_norm=0.0, optimizer=sgd, decay=Decay("step", 1.0))
    np.testing.assert_allclose(walk(stage, [4.0, 4.0]), [-0.4, -1.0], rtol=1e-5)
    clipped = Stage(1, 0.1, warmup=0.0, clip_norm=2.0, optimizer=sgd, decay=Decay("step", 1.0))
    np.testing.assert_allclose(walk(clipped, [4.0, 4.0]), [-0.2, -0.5], rtol=1e-5)
