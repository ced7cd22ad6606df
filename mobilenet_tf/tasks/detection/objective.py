"""Training of detectors: anchors matched with boxes, focal loss and smooth L1."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.detection.boxes import CENTRE_UNIT, SIDE_UNIT
from mobilenet_tf.tasks.objective import Objective

MATCHED, UNMATCHED = 0.5, 0.4  # IoU from which an anchor learns a box, and below which none
VISIBLE = 0.4  # share of a box that must remain in the picture
BACKGROUND, NEUTRAL = -1.0, -2.0  # classes of anchors that learn no box, and nothing
_FOCUS, _BALANCE = 2.0, 0.75  # gamma and alpha (V3's detectors; 1708.02002, equation 5)


@dataclass(frozen=True, eq=False)
class BoxFocal(Objective):
    """Sigmoid focal loss of every anchor and class, and smooth L1 of the matched offsets.

    Labels are float32 (N, most, 6): edges in shares of the picture, class (-1 pads), and whether
    the box is neither to be found nor to be missed.

    Attributes:
        classes: Number of classes.
        anchors: float32 (A, 4) edges of all anchors.
        background: Whether the first score of an anchor is that of background.
    """

    classes: int
    anchors: np.ndarray
    background: bool = False

    def check(self, labels: np.ndarray) -> None:
        """Reject labels that are no boxes, or of classes that the network does not have."""
        if labels.ndim != 3 or labels.shape[2] != 6:
            raise UserError(f"The labels have the shape {labels.shape}; boxes are needed.")
        if labels[..., 4].max() >= self.classes:
            raise UserError(
                f"classes is {self.classes}, but the boxes have classes up to "
                f"{labels[..., 4].max():.0f}."
            )

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Match anchors with boxes.

        An anchor learns the box with which its IoU is largest, if that is 0.5 or if no other anchor
        is closer to the box. Anchors in between 0.4 and 0.5, and those on boxes that are not to be
        found or mostly outside the moved picture, learn nothing.

        Returns:
            float32 (N, A, 5): the offsets, and the class, `BACKGROUND` or `NEUTRAL`.
        """
        boxes, classes = labels[..., :4], labels[..., 4]
        wanted, neutral = _told_apart(classes, labels[..., 5] > 0)
        if moves is not None:
            boxes, visible = move(boxes, moves)
            hidden = wanted & (visible < VISIBLE)
            wanted, neutral = wanted & ~hidden, neutral | hidden
        overlap = _overlaps(boxes, tf.constant(self.anchors))  # (N, most, A)
        close = tf.reduce_max(tf.where(neutral[..., tf.newaxis], overlap, 0.0), 1) >= UNMATCHED
        overlap = tf.where(wanted[..., tf.newaxis], overlap, -1.0)
        # The closest anchor of each box is its own, whatever the IoU.
        own = tf.one_hot(tf.argmax(overlap, 2), overlap.shape[2], on_value=2.0, off_value=0.0)
        claim = overlap + tf.where(wanted[..., tf.newaxis], own, 0.0)
        best, which = tf.reduce_max(claim, 1), tf.argmax(claim, 1)
        matched = tf.gather(tf.concat([boxes, classes[..., tf.newaxis]], 2), which, batch_dims=1)
        taught = tf.where(best >= MATCHED, matched[..., 4], BACKGROUND)
        taught = tf.where((best < MATCHED) & ((best >= UNMATCHED) | close), NEUTRAL, taught)
        return tf.concat([self._offsets(matched[..., :4]), taught[..., tf.newaxis]], 2)

    def _offsets(self, boxes: tf.Tensor) -> tf.Tensor:
        """Return what `from_offsets` turns into these boxes (N, A, 4)."""
        anchors = tf.constant(self.anchors)
        own, sides = anchors[:, 2:] - anchors[:, :2], boxes[..., 2:] - boxes[..., :2]
        between = (boxes[..., :2] + sides / 2 - anchors[:, :2] - own / 2) / own / CENTRE_UNIT
        stretch = tf.math.log(tf.maximum(sides / own, 1e-4)) / SIDE_UNIT
        return tf.concat([tf.reverse(between, (2,)), tf.reverse(stretch, (2,))], 2)

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model with its outputs joined in float: (N, A, 4 + scores)."""
        shapes = [output.shape[1:] for output in model.outputs]
        scores = self.classes + self.background
        rows = [
            keras.layers.Reshape((prod(shape) // depth, depth))(output)
            for output, shape, depth in zip(
                model.outputs, shapes, [4, scores] * (len(shapes) // 2), strict=True
            )
        ]
        joined = [
            keras.layers.Concatenate(axis=1)(part) if len(part) > 1 else part[0]
            for part in (rows[0::2], rows[1::2])
        ]
        return keras.Model(model.input, keras.layers.Concatenate(axis=2)(joined))

    def no_targets(self, model: keras.Model) -> tf.Tensor:
        """Return the targets of no pictures."""
        return tf.zeros((0, len(self.anchors), 5))

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the sum of both losses, divided by the number of matched anchors.

        Raises:
            UserError: There is label smoothing, which would drown the few anchors on objects.
        """
        if smoothing:
            raise UserError(f"label_smoothing is {smoothing}; it must be 0 for a detector.")
        return _BoxLoss(self.classes, self.background)

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return the recall of anchors; average precision needs all pictures at once."""
        return [keras.metrics.MeanMetricWrapper(self._recall, name="anchor_recall")]

    def _recall(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return which share of a picture's matched anchors has its class's score above 0.5."""
        taught = tf.cast(targets[..., 4], tf.int32)
        own = tf.one_hot(taught + self.background, self.classes + self.background)
        logits = tf.reduce_sum(own * outputs[..., 4:], 2)
        matched = tf.cast(taught >= 0, tf.float32)
        right = tf.reduce_sum(tf.cast(logits > 0, tf.float32) * matched, 1)
        count = tf.reduce_sum(matched, 1)
        return tf.where(count > 0, right / tf.maximum(count, 1.0), 1.0)

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Reject the wish: a picture has boxes of several classes."""
        raise UserError("train.class_weights is true; boxes of a detector cannot be weighed so.")

    def soft_loss(self, teacher: Any, student: tf.Tensor, temperature: float) -> tf.Tensor:
        """Return the cross-entropy of all scores and the squared difference of offsets.

        Args:
            teacher: Outputs of a detector with the same anchors, one after the other.
            student: Joined outputs (N, A, 4 + scores).
            temperature: Divides the logits of both.
        """
        depths = [4, self.classes + self.background] * (len(teacher) // 2)
        rows = [
            tf.reshape(output, (tf.shape(output)[0], -1, depth))
            for output, depth in zip(teacher, depths, strict=True)
        ]
        teacher = tf.concat([tf.concat(part, 1) for part in (rows[0::2], rows[1::2])], 2)
        soft = tf.sigmoid(teacher[..., 4:] / temperature)
        scores = tf.nn.sigmoid_cross_entropy_with_logits(soft, student[..., 4:] / temperature)
        sure = tf.reduce_max(tf.sigmoid(teacher[..., 4:]), -1, keepdims=True)
        offsets = sure * tf.square(teacher[..., :4] - student[..., :4])
        found = tf.maximum(tf.reduce_sum(sure), 1.0)
        return (temperature**2 * tf.reduce_sum(scores) + tf.reduce_sum(offsets)) / found


def _told_apart(classes: tf.Tensor, ignored: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return which boxes are to be found, and which count neither way; others are padding."""
    real = classes >= 0
    return real & ~ignored, real & ignored


def move(boxes: tf.Tensor, moves: Moves) -> tuple[tf.Tensor, tf.Tensor]:
    """Move boxes with their pictures.

    Args:
        boxes: float32 (N, most, 4) edges in shares of the stored picture.
        moves: How the pictures were moved; a box that is rotated becomes the box around it.

    Returns:
        The edges in shares of the input, cut at its border, and the share of each moved box that
        is left, (N, most).
    """
    transforms = moves.transforms
    # Transforms map pixel centres of the input to those of the stored picture.
    a, b, c, d, e, f = (transforms[:, index, tf.newaxis, tf.newaxis] for index in range(6))
    left, top, right, bottom = tf.unstack(boxes, axis=2)
    x = tf.stack([left, right, left, right], 2) * float(moves.stored[1]) - 0.5 - c
    y = tf.stack([top, top, bottom, bottom], 2) * float(moves.stored[0]) - 0.5 - f
    area = a * e - b * d
    x, y = (e * x - b * y) / area, (a * y - d * x) / area
    x, y = (x + 0.5) / float(moves.sides[1]), (y + 0.5) / float(moves.sides[0])
    edges = [reduce(axis, 2) for reduce in (tf.reduce_min, tf.reduce_max) for axis in (x, y)]
    moved = tf.stack(edges, 2)
    cut = tf.clip_by_value(moved, 0.0, 1.0)
    return cut, _areas(cut) / tf.maximum(_areas(moved), 1e-9)


def _areas(boxes: tf.Tensor) -> tf.Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _overlaps(boxes: tf.Tensor, anchors: tf.Tensor) -> tf.Tensor:
    """Return the IoU (N, most, A) of boxes (N, most, 4) with anchors (A, 4)."""
    boxes = boxes[:, :, tf.newaxis]
    inside = tf.maximum(
        tf.minimum(boxes[..., 2:], anchors[:, 2:]) - tf.maximum(boxes[..., :2], anchors[:, :2]), 0
    )
    inside = tf.reduce_prod(inside, -1)
    return inside / tf.maximum(_areas(boxes) + _areas(anchors) - inside, 1e-9)


class _BoxLoss(keras.losses.Loss):
    """Focal loss + smooth L1 of the joined outputs, per picture."""

    def __init__(self, classes: int, background: bool):
        super().__init__(name="box_focal")
        self._scores, self._background = classes + background, int(background)

    def call(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return the loss of each picture (N,), per matched anchor."""
        taught = targets[..., 4]
        matched = tf.cast(taught >= 0, tf.float32)
        counts = tf.cast(taught > NEUTRAL, tf.float32)
        wanted = tf.one_hot(tf.cast(taught, tf.int32) + self._background, self._scores)
        scores = tf.reduce_sum(_focal(wanted, outputs[..., 4:]), 2)
        offsets = tf.reduce_sum(_smooth_l1(targets[..., :4] - outputs[..., :4]), 2)
        total = tf.reduce_sum(scores * counts + offsets * matched, 1)
        return total / tf.maximum(tf.reduce_sum(matched, 1), 1.0)


def _focal(wanted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the focal loss (1708.02002, equation 5) of each score."""
    chance = tf.sigmoid(logits)
    wrong = wanted * (1 - chance) + (1 - wanted) * chance
    weight = wanted * _BALANCE + (1 - wanted) * (1 - _BALANCE)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    return weight * wrong**_FOCUS * entropy


def _smooth_l1(difference: tf.Tensor) -> tf.Tensor:
    size = tf.abs(difference)
    return tf.where(size < 1, size * size / 2, size - 0.5)
