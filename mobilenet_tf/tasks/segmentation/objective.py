"""Training of segmenters: cross-entropy per pixel of the input, and the Dice loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.objective import Objective

_Sides = tuple[int, int]
_NEARLY_ALL = 0.8  # share of the pixels


@dataclass(frozen=True)
class PixelCrossEntropy(Objective):
    """Cross-entropy of logits that are enlarged to the input, as decoding enlarges them.

    Attributes:
        classes: Number of classes.
        sides: Height and width of the input.
        dice: Weight of the Dice loss, which is added in training.
    """

    classes: int
    sides: _Sides
    dice: float = 0.0

    def check(self, labels: np.ndarray) -> None:
        """Reject masks with classes that the network does not have."""
        known = labels[labels != IGNORED]
        if known.size and known.max() >= self.classes:
            raise UserError(
                f"classes is {self.classes}, but the masks have classes up to {known.max()}."
            )

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return one-hot vectors, float32 (N, height, width, classes); zeros where ignored.

        A mask is moved like its picture, each pixel taking the nearest value. What comes from
        outside the picture is ignored, although the picture shows its reflection there.
        """
        masks = labels[..., tf.newaxis]
        if moves is not None:
            masks = tf.raw_ops.ImageProjectiveTransformV3(
                images=masks,
                transforms=moves.transforms,
                output_shape=self.sides,
                fill_value=float(IGNORED),
                interpolation="NEAREST",
                fill_mode="CONSTANT",
            )
        elif masks.shape[1:3] != self.sides:  # training pictures are stored larger
            masks = tf.image.resize(masks, self.sides, "nearest")
        return tf.one_hot(masks[..., 0], self.classes)

    def no_targets(self, model: keras.Model) -> tf.Tensor:
        """Return the targets of no pictures."""
        return tf.zeros((0, *self.sides, self.classes))

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model, whose outputs are logits."""
        return model

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the mean over all pixels; those that are ignored count as 0."""
        return _PixelLoss(self.sides, smoothing, name="pixel_cross_entropy")

    def training_loss(
        self,
        learner: keras.Model,
        outputs: tf.Tensor,
        targets: tf.Tensor,
        weights: tf.Tensor | None,
    ) -> tf.Tensor:
        """Return the cross-entropy, plus the Dice loss of the batch times its weight."""
        loss = super().training_loss(learner, outputs, targets, weights)
        if not self.dice:
            return loss
        overlap = dice_loss(targets, _enlarged(outputs, self.sides))
        return loss + tf.nn.scale_regularization_loss(self.dice * overlap)

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return mIoU and the share of pixels with the right class."""
        return [_MeanOverlap(self.classes, self.sides), _PixelAccuracy(self.sides)]

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Return the inverse number of pixels of each class, scaled."""
        counts = self._pixels(labels)
        weights = counts.sum() / (max(1, np.count_nonzero(counts)) * np.maximum(counts, 1))
        return weights.astype(np.float32)

    def caution(self, labels: np.ndarray, classes: Sequence[str]) -> str | None:
        """Say that nearly all pixels are of one class, which may then be all that is learned."""
        counts = self._pixels(labels)
        share = counts.max() / max(1, counts.sum())
        if share < _NEARLY_ALL:
            return None
        return (
            f"{classes[int(counts.argmax())]} is {share:.0%} of the pixels. If the network finds "
            "nothing else, count rare classes more: --set train.class_weights=true --set "
            "qat.class_weights=true."
        )

    def _pixels(self, labels: np.ndarray) -> np.ndarray:
        return np.bincount(labels[labels != IGNORED], minlength=self.classes)

    def soft_loss(self, teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return T^2 times the mean cross-entropy per logit vector at temperature T."""
        soft = tf.nn.softmax(tf.cast(teacher, tf.float32) / temperature)
        losses = tf.nn.softmax_cross_entropy_with_logits(soft, student / temperature)
        return temperature**2 * tf.reduce_mean(losses)


def dice_loss(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return 1 minus the mean Dice coefficient of the classes that occur (Milletari et al., 2016).

    All classes count the same, however few pixels they have. A class's coefficient is
    2 * sum(p * t) / sum(p + t) over the pixels of the batch, with probabilities p and targets t.

    Args:
        targets: float32 (N, height, width, classes), zeros where ignored.
        logits: (N, height, width, classes).
    """
    known = tf.reduce_sum(targets, -1, keepdims=True)
    found = known * tf.nn.softmax(tf.cast(logits, tf.float32))
    pixels = tf.reduce_sum(targets, (0, 1, 2))
    both = tf.reduce_sum(found * targets, (0, 1, 2))
    coefficients = tf.math.divide_no_nan(2 * both, tf.reduce_sum(found, (0, 1, 2)) + pixels)
    occur = tf.cast(pixels > 0, tf.float32)
    mean = tf.math.divide_no_nan(tf.reduce_sum(occur * coefficients), tf.reduce_sum(occur))
    return 1 - mean


def _enlarged(logits: tf.Tensor, sides: _Sides) -> tf.Tensor:
    """Enlarge logits (N, h, w, classes) as `masks.predicted` does."""
    return tf.image.resize(logits, sides, "bilinear")


class _PixelLoss(keras.losses.Loss):
    """(targets, logits) -> loss of each pixel, (N, height, width)."""

    def __init__(self, sides: _Sides, smoothing: float, **options: Any):
        super().__init__(**options)
        self.sides, self.smoothing = sides, smoothing

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        logits = _enlarged(y_pred, self.sides)
        known = tf.reduce_sum(y_true, -1, keepdims=True)
        y_true = (1 - self.smoothing) * y_true + self.smoothing * known / logits.shape[-1]
        return tf.nn.softmax_cross_entropy_with_logits(y_true, logits)


class _MeanOverlap(keras.metrics.Metric):
    """mIoU of all pixels so far, over the classes that occur."""

    def __init__(self, classes: int, sides: _Sides, name: str = "miou"):
        super().__init__(name)
        self.sides = sides
        self.counts = self.add_weight("counts", (classes, classes), initializer="zeros")

    def update_state(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: Any = None) -> None:
        found = tf.reshape(tf.argmax(_enlarged(y_pred, self.sides), -1), (-1,))
        truth = tf.reshape(tf.argmax(y_true, -1), (-1,))
        known = tf.reshape(tf.reduce_max(y_true, -1), (-1,)) > 0
        counts = tf.math.confusion_matrix(
            truth, found, self.counts.shape[0], tf.cast(known, tf.float32), tf.float32
        )
        self.counts.assign_add(counts)

    def reset_state(self) -> None:
        self.counts.assign(tf.zeros_like(self.counts))

    def result(self) -> tf.Tensor:
        correct = tf.linalg.diag_part(self.counts)
        union = tf.reduce_sum(self.counts, 0) + tf.reduce_sum(self.counts, 1) - correct
        occur = tf.reduce_sum(tf.cast(union > 0, tf.float32))
        return tf.math.divide_no_nan(tf.reduce_sum(tf.math.divide_no_nan(correct, union)), occur)


class _PixelAccuracy(keras.metrics.Mean):
    """Share of the known pixels with the right class."""

    def __init__(self, sides: _Sides, name: str = "pixel_accuracy"):
        super().__init__(name)
        self.sides = sides

    def update_state(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: Any = None) -> Any:
        found = tf.argmax(_enlarged(y_pred, self.sides), -1)
        right = tf.cast(found == tf.argmax(y_true, -1), tf.float32)
        return super().update_state(right, tf.reduce_max(y_true, -1))
