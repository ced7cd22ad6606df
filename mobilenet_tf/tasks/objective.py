"""How a task is trained: what a network learns of the labels, and with which loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network


class Objective(ABC):
    """The part of a `Task` that training uses; a `datasets.pipeline.Targets`.

    Attributes:
        ordered: Whether `order` needs to know all labels, which a `Stream` does not.
        samples: Number of training images that `prepare` needs.
    """

    ordered: ClassVar[bool] = False
    samples: ClassVar[int] = 0

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

    def prepare(  # noqa: B027  most have nothing to prepare
        self, learner: keras.Model, images: np.ndarray, labels: np.ndarray
    ) -> None:
        """Set initial values of weights that `trained` has added, from `samples` images.

        Args:
            learner: Result of `trained`, perhaps in another precision.
            images: float32 (N, height, width, channels), normalised, balanced over the classes.
            labels: Their labels.
        """

    @abstractmethod
    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the loss; `smoothing` is `Stage.label_smoothing`."""

    def training_loss(
        self,
        learner: keras.Model,
        outputs: tf.Tensor,
        targets: tf.Tensor,
        weights: tf.Tensor | None,
    ) -> tf.Tensor:
        """Return the loss of a training batch; by default the one that validation measures.

        Args:
            learner: The compiled result of `trained`.
            outputs: Its outputs.
            targets: What `targets` returned.
            weights: Weight of each image, or None.
        """
        return learner.compute_loss(None, targets, outputs, weights)

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

    def caution(self, labels: np.ndarray, classes: Sequence[str]) -> str | None:
        """Return what to consider before labels are learned without class weights.

        Args:
            labels: Labels of the training images.
            classes: Names of the classes.

        Returns:
            A sentence or more; None where nothing is unusual.
        """
        return None

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

    def teaching(
        self, model: keras.Model, student: Network, name: str, places: Sequence[int] | None
    ) -> Callable[[Any], Any]:
        """Return what turns the outputs of a teacher into what `soft_loss` compares.

        By default, these are outputs as large as those of the network, as they are.

        Args:
            model: The teacher; the sides of its input may be free.
            student: The network that is trained.
            name: Name of the teacher in errors.
            places: The output for each class of the student; None for the same order.

        Raises:
            UserError: Its outputs are not those of a teacher for this objective.
        """
        sizes = [prod(op.shape) for op in lower(student).outputs]
        found = [
            None if None in output.shape[1:] else prod(output.shape[1:]) for output in model.outputs
        ]
        if found != sizes:
            shapes = ", ".join(str(output.shape) for output in model.outputs)
            raise UserError(
                f"{name} has the output {shapes}; a teacher needs outputs of "
                f"{' and '.join(map(str, sizes))} values, as the network has."
            )
        return lambda outputs: outputs

    @abstractmethod
    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return the loss of outputs compared with those of a teacher, as a scalar."""
