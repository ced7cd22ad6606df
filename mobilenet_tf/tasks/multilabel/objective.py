"""Training for several labels per picture: a sigmoid and binary cross-entropy for each."""

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


class LabelLoss(keras.losses.Loss):
    """Binary cross-entropy of logits, float32 (N, classes), which may be weighted label by label.

    Args:
        smoothing: Share of each target that becomes 0.5.
    """

    def __init__(self, smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.smoothing = smoothing

    def call(self, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return the loss of every label of every picture."""
        smooth = targets * (1 - self.smoothing) + 0.5 * self.smoothing
        return tf.nn.sigmoid_cross_entropy_with_logits(smooth, tf.cast(logits, tf.float32))


@dataclass(frozen=True)
class BinaryCrossEntropy(Objective):
    """The mean over labels of their binary cross-entropies.

    Attributes:
        classes: Number of labels.
    """

    classes: int

    def check(self, labels: np.ndarray) -> None:
        """Reject labels of another number."""
        if labels.shape[1:] != (self.classes,):
            found = "x".join(map(str, labels.shape[1:])) or "1"
            raise UserError(f"classes is {self.classes}, but the images have {found} labels.")

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return the labels as float32 (N, classes); moving a picture keeps them."""
        return tf.cast(labels, tf.float32)

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model itself: its outputs are logits."""
        return model

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the binary cross-entropy of logits."""
        return LabelLoss(smoothing)

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return the area under precision and recall, close to the mean average precision."""
        area = keras.metrics.AUC(
            curve="PR", multi_label=True, num_labels=self.classes, from_logits=True, name="map"
        )
        return [area]

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Return weights with which having a label counts as much as not having it.

        Returns:
            float32 (2, classes): the weights of absent and of present labels.
        """
        present = labels.mean(axis=0, dtype=np.float64)
        shares = np.clip(np.stack([1 - present, present]), 0.5 / len(labels), None)
        return np.where(present % 1 == 0, 1.0, 0.5 / shares).astype(np.float32)

    def weights(self, targets: tf.Tensor, class_weights: np.ndarray) -> tf.Tensor:
        """Return the weight of each label of each picture, float32 (N, classes)."""
        absent, present = class_weights
        return targets * present + (1 - targets) * absent

    def teaching(
        self, model: keras.Model, student: Network, name: str, places: Sequence[int] | None
    ) -> Callable[[Any], Any]:
        """Return what turns logits or the results of a sigmoid into logits (N, classes)."""
        super().teaching(model, student, name, places)
        activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", "")
        if activation not in ("", "linear", "sigmoid"):
            raise UserError(
                f"{name} ends in the activation {activation!r}; a teacher needs a sigmoid or "
                "logits."
            )

        def logits(scores: tf.Tensor) -> tf.Tensor:
            if places is not None:
                scores = tf.gather(scores, places, axis=1)
            if activation == "sigmoid":
                scores = tf.clip_by_value(scores, 1e-7, 1 - 1e-7)
                scores = tf.math.log(scores) - tf.math.log1p(-scores)
            return scores

        return logits

    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return T^2 times the mean binary cross-entropy at temperature T (1503.02531, 2)."""
        soft = tf.sigmoid(tf.cast(teacher, tf.float32) / temperature)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(soft, student / temperature)
        return temperature**2 * tf.reduce_mean(losses)
