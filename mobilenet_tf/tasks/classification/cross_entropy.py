"""Training for one class per picture: softmax and cross-entropy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.objective import Objective

_ANY_SIDE = 64  # of a picture, for a model that takes all sizes


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

    def teaching(
        self, model: keras.Model, student: Network, name: str, places: Sequence[int] | None
    ) -> Callable[[Any], Any]:
        """Return what turns scores, probabilities or logits, into logits (N, classes)."""
        expected = (None, self.classes)
        if model.output_shape != expected:
            raise UserError(
                f"{name} has the output {model.output_shape}; a teacher needs one score per class, "
                f"{expected}."
            )
        activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", "")
        if activation not in ("", "linear", "softmax"):
            raise UserError(
                f"{name} ends in the activation {activation!r}; a teacher needs softmax or logits."
            )
        probabilities = _gives_probabilities(model)

        def logits(scores: tf.Tensor) -> tf.Tensor:
            if places is not None:
                scores = tf.gather(scores, places, axis=1)
            # Logits up to a constant, which does not change the softmax.
            return tf.math.log(tf.maximum(scores, 1e-7)) if probabilities else scores

        return logits

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


def _gives_probabilities(model: keras.Model) -> bool:
    """Whether the scores of random images are probabilities; a softmax may be deep in the model."""
    shape = [side or _ANY_SIDE for side in model.input_shape[1:]]
    random = np.random.default_rng(0).uniform(-1, 1, (4, *shape))
    scores = np.asarray(model(tf.constant(random, tf.float32), training=False), np.float64)
    return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3))
