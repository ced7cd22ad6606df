"""What all ways to train an embedder have in common."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.class_batches import class_batches
from mobilenet_tf.tasks.objective import Objective


@dataclass(frozen=True)
class EmbeddingObjective(Objective):
    """Training of vectors of classes, in batches of several classes with several pictures each.

    Attributes:
        classes: Number of classes that are trained.
        pictures: Number of pictures per class in a batch, at least.
    """

    ordered: ClassVar[bool] = True

    classes: int
    pictures: int

    def check(self, labels: np.ndarray) -> None:
        """Reject labels of classes that are not trained."""
        if labels.max() >= self.classes:
            raise UserError(
                f"{self.classes} classes are trained, but the images have labels up to "
                f"{labels.max()}."
            )

    def order(self, labels: np.ndarray, batch: int, random: np.random.Generator) -> np.ndarray:
        """Return batches of P classes x K pictures, see `class_batches`."""
        return class_batches(labels, batch, self.pictures, random)

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return one-hot vectors, float32 (N, classes)."""
        return tf.one_hot(labels, self.classes)

    def no_targets(self, model: keras.Model) -> tf.Tensor:
        """Return the targets of no pictures, (0, classes)."""
        return tf.zeros((0, self.classes))

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Raise an error: batches have all classes equally often."""
        raise UserError(
            "class_weights is true; it must be false, because the batches have all classes equally "
            "often."
        )

    @abstractmethod
    def vectors(self, outputs: tf.Tensor) -> tf.Tensor:
        """Return the vectors (N, dimension) in the outputs of the trained model."""

    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return the mean squared distance of unit vectors (V1, 4.6); there is no temperature.

        Args:
            teacher: (N, dimension) vectors of the teacher.
            student: Outputs of the trained model.
            temperature: Not used.
        """
        expected = tf.math.l2_normalize(tf.cast(teacher, tf.float32), axis=1)
        found = tf.math.l2_normalize(self.vectors(student), axis=1)
        return tf.reduce_mean(tf.reduce_sum(tf.square(expected - found), axis=1))
