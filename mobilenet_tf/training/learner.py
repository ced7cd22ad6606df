"""A network as it is trained: its logits, in the precision of the stage, perhaps with a teacher."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.training.average import Average
from mobilenet_tf.training.distillation import Teacher, distillation_loss
from mobilenet_tf.training.faster import faster
from mobilenet_tf.training.optimizer import decays, make_optimizer
from mobilenet_tf.training.recipe import Stage


class Learner(keras.Model):
    """A functional model from pictures to logits, whose training step has all a recipe can ask.

    What is validated is the plain loss: it compares across recipes.

    Attributes:
        stage: its numbers.
        teacher: gives the logits to agree with, or None.
        average: of the weights, or None.
        class_weights: how much a picture of each class counts, or None for all alike.
    """

    stage: Stage
    teacher: Teacher | None = None
    average: Average | None = None
    class_weights: np.ndarray | None = None

    def fit(self, *args, **kwargs):
        with faster(self):
            return super().fit(*args, **kwargs)

    def train_step(self, data):
        pictures, labels = data
        weights = (
            None if self.class_weights is None else tf.linalg.matvec(labels, self.class_weights)
        )
        with tf.GradientTape() as tape:
            logits = self(pictures, training=True)
            loss = self.compute_loss(pictures, labels, logits, weights)
            if self.teacher:
                numbers = self.stage.distillation
                soft = distillation_loss(self.teacher(pictures), logits, numbers.temperature)
                loss = numbers.weight * _of_replica(soft) + (1 - numbers.weight) * loss
            if self.stage.l2:
                loss += _of_replica(self.stage.l2 * tf.add_n(self._squares()))
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        if self.average:
            self.average.update()
        return self.compute_metrics(pictures, labels, logits, weights)

    def _squares(self) -> list[tf.Tensor]:
        """Half the sum of squares of each kernel that L2 reaches."""
        return [tf.nn.l2_loss(one) for one in self.trainable_variables if decays(one, self.stage)]


def _of_replica(loss: tf.Tensor) -> tf.Tensor:
    """Replicas' gradients are summed, so each has its share of the loss, as Keras's losses do."""
    return tf.nn.scale_regularization_loss(loss)


def balancing_weights(split: Split, classes: int) -> np.ndarray:
    """float32 (classes,): all classes of a split weigh the same, and its mean picture 1."""
    counts = np.bincount(split.labels, minlength=classes)
    weights = len(split) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return weights.astype(np.float32)


def make_learner(
    model: keras.Model, stage: Stage, steps: int, teacher: Teacher | None = None
) -> Learner:
    """A compiled learner for a classifier.

    Its weights have the order of those of `logits_model`; they are the same variables if the
    stage's precision is float32.

    Args:
        model: ends in a softmax.
        stage: loss, optimizer, precision.
        steps: of the whole stage.
        teacher: what to agree with besides the labels.
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
    """Let loss and metrics make their variables: Keras would trace the whole step once for that."""

    @tf.function
    def count_nothing():
        nothing = tf.zeros((0, learner.output_shape[-1]))
        learner.compute_loss(None, nothing, nothing)
        learner.compute_metrics(None, nothing, nothing, None)

    tf.distribute.get_strategy().run(count_nothing)
    learner.reset_metrics()


def logits_model(model: keras.Model) -> keras.Model:
    """The same layers up to the softmax: its rounded int8 output has no useful gradient."""
    return keras.Model(model.input, model.layers[-1].input)


def _in_precision(model: keras.Model, precision: str) -> keras.Model:
    """A copy that computes in another precision and gives float32."""

    def clone(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": precision})

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    output = keras.layers.Activation("linear", dtype="float32", name="float32")(copy.output)
    return keras.Model(copy.input, output)
