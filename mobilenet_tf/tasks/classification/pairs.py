"""Training of a classifier by pairs of similar pictures: API-Net (AAAI 2020, arXiv 2002.10191).

Each picture is compared with the nearest of its own class and the nearest of another class in its
batch. What the comparison needs is not part of the network. Where the paper leaves something open,
the authors' code is followed.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.tasks.class_batches import class_batches
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy

PICTURES = 4  # per class in a batch
RANKING_MARGIN = 0.05
_HIDDEN = 512
_DROPOUT = 0.5
_COMPARISON = "comparison"
_INFINITE = 1e30


class Pairs(NamedTuple):
    """Pairs of pictures of a batch, as int32 (pairs,) places in it: all `first` with `second`."""

    first: tf.Tensor
    second: tf.Tensor


class Interaction(NamedTuple):
    """Features (pairs, D) of both pictures of each pair, by their own gates and each other's."""

    first_self: tf.Tensor
    first_other: tf.Tensor
    second_self: tf.Tensor
    second_other: tf.Tensor


def nearest_pairs(features: tf.Tensor, same: tf.Tensor) -> Pairs:
    """Pair each picture with the nearest of its class, then each with the nearest of another.

    Args:
        features: float32 (N, D); Euclidean distances.
        same: bool (N, N), whether two pictures are of one class.

    Returns:
        2 N pairs. A picture without any other in its class, or in other classes, has itself.
    """
    squares = tf.reduce_sum(tf.square(features), axis=1)
    products = tf.matmul(features, features, transpose_b=True)
    distances = squares[:, None] + squares[None, :] - 2 * products
    others = tf.linalg.set_diag(same, tf.zeros(tf.shape(same)[:1], bool))
    own = tf.range(tf.shape(features)[0])
    second = []
    for allowed in (others, ~same):
        nearest = tf.argmin(tf.where(allowed, distances, _INFINITE), axis=1, output_type=tf.int32)
        second.append(tf.where(tf.reduce_any(allowed, axis=1), nearest, own))
    return Pairs(tf.tile(own, (2,)), tf.concat(second, axis=0))


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class Comparison(keras.layers.Dropout):
    """What is trained beside the network: the mutual vector of two pictures.

    As a layer it joins features (N, D) behind logits (N, classes) and computes nothing, so that
    optimizer and checkpoints hold its weights. It is a dropout layer, whose random numbers are
    seeded in every epoch.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**{"rate": _DROPOUT, "rng_type": "stateful"} | kwargs)

    def build(self, input_shape: Any) -> None:
        """Create the perceptron 2 D -> 512 -> D, without an activation."""
        width = input_shape[1][-1]
        self.hidden = keras.layers.Dense(_HIDDEN, name="hidden")
        self.mutual = keras.layers.Dense(width, name="mutual")
        self.hidden.build((None, 2 * width))
        self.mutual.build((None, _HIDDEN))
        super().build(input_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Join logits and features."""
        return tf.concat(inputs, axis=1)

    def dropped(self, inputs: tf.Tensor) -> tf.Tensor:
        """Apply dropout, as in training."""
        return super().call(inputs, training=True)

    def interact(self, first: tf.Tensor, second: tf.Tensor) -> Interaction:
        """Return the features of pairs (pairs, D) after their interaction (equations 1 to 3)."""
        together = tf.concat([first, second], axis=1)
        mutual = self.mutual(self.dropped(self.hidden(together)))
        gate_first, gate_second = tf.sigmoid(mutual * first), tf.sigmoid(mutual * second)
        return Interaction(
            first + first * gate_first,
            first + first * gate_second,
            second + second * gate_second,
            second + second * gate_first,
        )


@dataclass(frozen=True)
class PairedCrossEntropy(CrossEntropy):
    """Cross-entropy of a classifier, trained by comparing pairs; validated as without them.

    Attributes:
        weight: Weight of the ranking loss (lambda).
    """

    ordered: ClassVar[bool] = True

    weight: float = 1.0

    def order(self, labels: np.ndarray, batch: int, random: np.random.Generator) -> np.ndarray:
        """Return batches of P classes x 4 pictures, see `class_batches`."""
        return class_batches(labels, batch, PICTURES, random)

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model without its softmax, with the features that it classifies behind.

        The features are those before dropout, which the comparison applies itself.
        """
        logits = super().trained(model).output
        features = _classifier(logits.node.layer).input
        if isinstance(features.node.layer, keras.layers.Dropout):
            features = features.node.layer.input
        flat = keras.layers.Flatten(name=f"{_COMPARISON}/features")(features)
        return keras.Model(model.input, Comparison(name=_COMPARISON)([logits, flat]))

    def training_loss(
        self,
        learner: keras.Model,
        outputs: tf.Tensor,
        targets: tf.Tensor,
        weights: tf.Tensor | None,
    ) -> tf.Tensor:
        """Return the loss of all pairs of a batch (equations 5 to 7).

        This is the mean cross-entropy of the four classifications of each pair, and the mean of
        max(0, p_other - p_self + 0.05) over both pictures of each pair, where p is the probability
        of the right class by each of both gates.
        """
        layer = learner.get_layer(_COMPARISON)
        weights = _classifier(layer.input[0].node.layer).trainable_weights
        bias, kernel = sorted(weights, key=lambda weight: int(weight.shape.rank))
        features = outputs[:, self.classes :]
        pairs = nearest_pairs(features, tf.matmul(targets, targets, transpose_b=True) > 0)
        views = layer.interact(*(tf.gather(features, places) for places in pairs))

        def classified(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
            both = layer.dropped(tf.concat([first, second], axis=0))
            return tf.matmul(both, tf.reshape(kernel, (-1, self.classes))) + bias

        by_self = classified(views.first_self, views.second_self)
        by_other = classified(views.first_other, views.second_other)
        true = tf.concat([tf.gather(targets, places) for places in pairs], axis=0)
        errors = keras.losses.categorical_crossentropy(
            tf.concat([true, true], axis=0),
            tf.concat([by_self, by_other], axis=0),
            from_logits=True,
            label_smoothing=learner.stage.label_smoothing,
        )
        found = tf.reduce_mean(errors) + self.weight * ranking_loss(true, by_self, by_other)
        return tf.nn.scale_regularization_loss(found)

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the cross-entropy of the logits."""
        return _OnLogits(self, super().loss(smoothing))

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return the accuracy of the logits."""

        def accuracy(true: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
            return keras.metrics.categorical_accuracy(true, self.logits(outputs))

        return [keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")]

    def no_targets(self, model: keras.Model) -> tf.Tensor:
        """Return the targets of no pictures, (0, classes)."""
        return tf.zeros((0, self.classes))

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Raise an error: batches have all classes equally often."""
        raise UserError(
            "class_weights is true; it must be false with pairs, because their batches have all "
            "classes equally often."
        )

    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return the loss of the logits compared with those of a teacher."""
        return super().soft_loss(teacher, self.logits(student), temperature)

    def logits(self, outputs: tf.Tensor) -> tf.Tensor:
        """Return the logits in the outputs of the trained model, (N, classes)."""
        return outputs[:, : self.classes]


class _OnLogits(keras.losses.Loss):
    def __init__(self, objective: PairedCrossEntropy, loss: keras.losses.Loss):
        super().__init__(name=loss.name)
        self.objective, self.plain = objective, loss

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the loss of each picture, (N,)."""
        return self.plain.call(y_true, self.objective.logits(y_pred))


def ranking_loss(true: tf.Tensor, by_self: tf.Tensor, by_other: tf.Tensor) -> tf.Tensor:
    """Return the mean of max(0, p_other - p_self + 0.05) (equation 7).

    Args:
        true: One-hot (N, classes).
        by_self: Logits of the picture by its own gate, (N, classes).
        by_other: Logits of the same picture by the other's gate.
    """
    of_self, of_other = (
        tf.reduce_sum(true * tf.nn.softmax(logits), axis=1) for logits in (by_self, by_other)
    )
    return tf.reduce_mean(tf.maximum(of_other - of_self + RANKING_MARGIN, 0.0))


def _classifier(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return the last layer with weights at or before this one."""
    while not layer.trainable_weights:
        layer = layer.input.node.layer
    return layer
