"""Training for one class per picture: softmax and cross-entropy."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.objective import Objective


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """Cross-entropy of a softmax over classes.

    Attributes:
        classes: Number of classes.
    """

    classes: int

    def check(self, labels: np.ndarray) -> None:
        """Reject labels that are no classes of the network."""
        if labels.max() >= self.classes:
            raise UserError(
                f"classes is {self.classes}, but the images have labels up to {labels.max()}."
            )

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return one-hot vectors, float32 (N, classes); moving a picture keeps its class."""
        return tf.one_hot(labels, self.classes)

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model without its softmax.

        Quantization-aware training needs this: the rounded int8 output of a softmax has no useful
        gradient.
        """
        return keras.Model(model.input, model.layers[-1].input)

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the cross-entropy of logits."""
        return keras.losses.CategoricalCrossentropy(True, label_smoothing=smoothing)

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return the accuracy."""
        return ["accuracy"]

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Return the inverse frequency of each class, scaled."""
        counts = np.bincount(labels, minlength=self.classes)
        weights = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return weights.astype(np.float32)

    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return T^2 times the mean cross-entropy at temperature T (1503.02531, 2).

        The gradient shrinks with 1 / T^2; the factor T^2 makes up for it, so that a weight of this
        loss has the same effect at each temperature.

        Args:
            teacher: (N, classes) logits of the teacher.
            student: float32 (N, classes) logits of the student.
            temperature: T, greater than 0.
        """
        soft = tf.nn.softmax(tf.cast(teacher, tf.float32) / temperature)
        losses = tf.nn.softmax_cross_entropy_with_logits(soft, student / temperature)
        return temperature**2 * tf.reduce_mean(losses)
