"""The model that is trained: a network up to what its loss reads, in the precision of the stage."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.tasks.objective import Objective
from mobilenet_tf.training.average import Average
from mobilenet_tf.training.constraint import Enforcer
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.faster import faster
from mobilenet_tf.training.optimizer import decays, make_optimizer
from mobilenet_tf.training.recipe import Stage


class Learner(keras.Model):
    """Functional model from images to outputs, with a training step for all options of a recipe.

    Validation measures the plain loss, without teacher, class weights and L2, so that it can be
    compared across recipes.

    Attributes:
        objective: What is learned, and with which loss.
        stage: Training settings.
        teacher: Network whose outputs are learned in addition to the labels, or None.
        enforcer: What keeps a structure of the weights, or None.
        average: Average of the weights, or None.
        class_weights: float32 (classes,) factors of the loss by class, or None.
    """

    objective: Objective
    stage: Stage
    teacher: Teacher | None = None
    enforcer: Enforcer | None = None
    average: Average | None = None
    class_weights: np.ndarray | None = None

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Train as Keras does, with the faster implementations of `faster`."""
        with faster(self):
            return super().fit(*args, **kwargs)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Train on one batch.

        Args:
            data: (N, height, width, channels) images and what `Objective.targets` returned.

        Returns:
            The metrics so far in this epoch.
        """
        images, targets = data
        weights = None
        if self.class_weights is not None:
            weights = self.objective.weights(targets, self.class_weights)
        with tf.GradientTape() as tape:
            outputs = self(images, training=True)
            loss = self.objective.training_loss(self, outputs, targets, weights)
            if self.teacher:
                settings = self.stage.distillation
                taught = self.teacher(images)
                soft = self.objective.soft_loss(taught, outputs, settings.temperature)
                loss = settings.weight * _per_replica(soft) + (1 - settings.weight) * loss
            if self.stage.l2:
                loss += _per_replica(self.stage.l2 * tf.add_n(self._squares()))
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        for follower in (self.enforcer, self.average):
            if follower:
                follower.update()
        return self.compute_metrics(images, targets, outputs, weights)

    def _squares(self) -> list[tf.Tensor]:
        """Return half the sum of squares of each kernel that L2 applies to."""
        return [tf.nn.l2_loss(one) for one in self.trainable_variables if decays(one, self.stage)]


def _per_replica(loss: tf.Tensor) -> tf.Tensor:
    """Divide a loss by the number of replicas, because their gradients are summed."""
    return tf.nn.scale_regularization_loss(loss)


def make_learner(
    model: keras.Model,
    objective: Objective,
    stage: Stage,
    steps: int,
    teacher: Teacher | None = None,
) -> Learner:
    """Make a compiled learner of a network.

    Its weights are in the order of those of `objective.trained(model)`. With the precision float32
    they are the same variables, otherwise copies.

    Args:
        model: Network of the objective's task.
        objective: What it learns.
        stage: Settings of loss, optimizer and precision.
        steps: Number of steps of the whole stage.
        teacher: Network whose outputs are learned in addition to the labels.
    """
    trained = objective.trained(model)
    if stage.precision != "float32":
        trained = _in_precision(trained, stage.precision)
    learner = Learner(trained.input, trained.output)
    learner.objective, learner.stage, learner.teacher = objective, stage, teacher
    learner.compile(
        make_optimizer(learner, stage, steps),
        objective.loss(stage.label_smoothing),
        metrics=objective.metrics(),
        jit_compile=stage.xla,
    )
    _make_metrics(learner)
    if stage.ema:
        learner.average = Average(learner, stage.ema)
    return learner


def _make_metrics(learner: Learner) -> None:
    """Create the variables of loss and metrics; Keras would trace a whole extra step for that."""

    @tf.function
    def count_nothing() -> None:
        targets = learner.objective.no_targets(learner)
        outputs = tf.zeros((0, *learner.output_shape[1:]))
        learner.compute_loss(None, targets, outputs)
        learner.compute_metrics(None, targets, outputs, None)

    tf.distribute.get_strategy().run(count_nothing)
    learner.reset_metrics()


def _in_precision(model: keras.Model, precision: str) -> keras.Model:
    """Return a copy that computes in another precision, with a float32 output."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config(layer.get_config() | {"dtype": precision})

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    output = keras.layers.Activation("linear", dtype="float32", name="float32")(copy.output)
    return keras.Model(copy.input, output)
