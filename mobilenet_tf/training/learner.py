"""The model that is trained: a network up to its logits, in the precision of the stage."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.dataset import TrainingImages
from mobilenet_tf.training.average import Average
from mobilenet_tf.training.distillation import Teacher, distillation_loss
from mobilenet_tf.training.faster import faster
from mobilenet_tf.training.optimizer import decays, make_optimizer
from mobilenet_tf.training.recipe import Stage


class Learner(keras.Model):
    """Functional model from images to logits, with a training step for all options of a recipe.

    Validation measures the plain loss, without teacher, class weights and L2, so that it can be
    compared across recipes.

    Attributes:
        stage: Training settings.
        teacher: Network whose logits are learned in addition to the labels, or None.
        average: Average of the weights, or None.
        class_weights: float32 (classes,) factors of the loss by class, or None.
    """

    stage: Stage
    teacher: Teacher | None = None
    average: Average | None = None
    class_weights: np.ndarray | None = None

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Train as Keras does, with the faster implementations of `faster`."""
        with faster(self):
            return super().fit(*args, **kwargs)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Train on one batch.

        Args:
            data: (N, height, width, channels) images and (N, classes) one-hot labels.

        Returns:
            The metrics so far in this epoch.
        """
        images, labels = data
        weights = (
            None if self.class_weights is None else tf.linalg.matvec(labels, self.class_weights)
        )
        with tf.GradientTape() as tape:
            logits = self(images, training=True)
            loss = self.compute_loss(images, labels, logits, weights)
            if self.teacher:
                settings = self.stage.distillation
                soft = distillation_loss(self.teacher(images), logits, settings.temperature)
                loss = settings.weight * _per_replica(soft) + (1 - settings.weight) * loss
            if self.stage.l2:
                loss += _per_replica(self.stage.l2 * tf.add_n(self._squares()))
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        if self.average:
            self.average.update()
        return self.compute_metrics(images, labels, logits, weights)

    def _squares(self) -> list[tf.Tensor]:
        """Return half the sum of squares of each kernel that L2 applies to."""
        return [tf.nn.l2_loss(one) for one in self.trainable_variables if decays(one, self.stage)]


def _per_replica(loss: tf.Tensor) -> tf.Tensor:
    """Divide a loss by the number of replicas, because their gradients are summed."""
    return tf.nn.scale_regularization_loss(loss)


def balancing_weights(split: TrainingImages, classes: int) -> np.ndarray:
    """Return weights with which all classes of a split count the same.

    Returns:
        float32 (classes,); their mean over the images of the split is 1.
    """
    counts = np.bincount(split.labels, minlength=classes)
    weights = len(split) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return weights.astype(np.float32)


def make_learner(
    model: keras.Model, stage: Stage, steps: int, teacher: Teacher | None = None
) -> Learner:
    """Make a compiled learner of a classifier.

    Its weights are in the order of `logits_model`'s. With the precision float32 they are the same
    variables, otherwise copies.

    Args:
        model: Classifier that ends in a softmax.
        stage: Settings of loss, optimizer and precision.
        steps: Number of steps of the whole stage.
        teacher: Network whose logits are learned in addition to the labels.
    """
    logits = logits_model(model)
    if stage.precision != "float32":
        logits = _in_precision(logits, stage.precision)
    learner = Learner(logits.input, logits.output)
    learner.stage, learner.teacher = stage, teacher
    learner.compile(
        make_optimizer(learner, stage, steps),
        keras.losses.CategoricalCrossentropy(True, label_smoothing=stage.label_smoothing),
        metrics=["accuracy"],
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
        nothing = tf.zeros((0, learner.output_shape[-1]))
        learner.compute_loss(None, nothing, nothing)
        learner.compute_metrics(None, nothing, nothing, None)

    tf.distribute.get_strategy().run(count_nothing)
    learner.reset_metrics()


def logits_model(model: keras.Model) -> keras.Model:
    """Return a model of the same layers without the softmax.

    Quantization-aware training needs this: the rounded int8 output of a softmax has no useful
    gradient.
    """
    return keras.Model(model.input, model.layers[-1].input)


def _in_precision(model: keras.Model, precision: str) -> keras.Model:
    """Return a copy that computes in another precision, with a float32 output."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config(layer.get_config() | {"dtype": precision})

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    output = keras.layers.Activation("linear", dtype="float32", name="float32")(copy.output)
    return keras.Model(copy.input, output)
