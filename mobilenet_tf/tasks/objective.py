"""How a task is trained: what a network learns of the labels, and with which loss."""

from abc import ABC, abstractmethod

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.pipeline import Moves


class Objective(ABC):
    """The part of a `Task` that training uses; a `datasets.pipeline.Targets`."""

    @abstractmethod
    def check(self, labels: np.ndarray) -> None:
        """Reject labels that do not suit the network.

        Raises:
            UserError: They do not.
        """

    def order(self, labels: np.ndarray, batch: int, random: np.random.Generator) -> np.ndarray:
        """Return the order of the training images in one pass.

        Args:
            labels: Labels of all of them.
            batch: Number of images per step.
            random: Generator of this pass.

        Returns:
            Indices, the same number for every pass.
        """
        return random.permutation(len(labels))

    @abstractmethod
    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return what the loss compares the outputs with.

        Args:
            labels: Labels of N pictures, as in `Split.labels`.
            moves: How the pictures were moved; None if they were not.

        Returns:
            float32 tensor (N, ...), which mixup may average.
        """

    @abstractmethod
    def trained(self, model: keras.Model) -> keras.Model:
        """Return a model of the same layers up to the outputs that the loss reads."""

    @abstractmethod
    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the loss; `smoothing` is `Stage.label_smoothing`."""

    @abstractmethod
    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return what is measured in every epoch, `Task.curve` included."""

    @abstractmethod
    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Return weights with which all classes count the same.

        Returns:
            float32 (classes,); their mean over the labels is 1.

        Raises:
            UserError: The classes of this task cannot be weighed.
        """

    def weights(self, targets: tf.Tensor, class_weights: np.ndarray) -> tf.Tensor:
        """Return the factor of each picture's loss.

        Args:
            targets: What `targets` returned for N pictures.
            class_weights: What `class_weights` returned.

        Returns:
            float32 tensor (N, ...), as Keras takes sample weights.
        """
        return tf.linalg.matvec(targets, class_weights)

    def no_targets(self, model: keras.Model) -> tf.Tensor:
        """Return the targets of no pictures, (0, ...), for a model of `trained`."""
        return tf.zeros((0, model.output_shape[-1]))

    @abstractmethod
    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return the loss of outputs compared with those of a teacher, as a scalar."""
