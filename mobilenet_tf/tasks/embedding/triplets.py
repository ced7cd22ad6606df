"""Training of embeddings by triplets with semi-hard negatives (FaceNet, arXiv 1503.03832)."""

from dataclasses import dataclass

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.tasks.embedding.objective import EmbeddingObjective

_INFINITE = 1e9  # more than any squared distance


@dataclass(frozen=True)
class Triplets(EmbeddingObjective):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), squared distances (equation 2).

    All pairs of one class in a batch are anchor and positive, in both orders. Their negative is
    the nearest that is farther than the positive (semi-hard, section 3.2), or the farthest if none
    is farther.

    Attributes:
        margin: In squared distance.
    """

    margin: float

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model: all of it is trained, and nothing else."""
        return keras.Model(model.input, model.output)

    def vectors(self, outputs: tf.Tensor) -> tf.Tensor:
        """Return the outputs."""
        return outputs

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the triplet loss; labels cannot be smoothed."""
        return _TripletLoss(self.margin)

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return the share of pictures whose nearest other in the batch is of their class."""

        def accuracy(true: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
            distances, same, positive = _compared(true, outputs)
            nearest, stranger = (
                tf.reduce_min(tf.where(which, distances, _INFINITE), axis=1)
                for which in (positive, ~same)
            )
            return tf.cast(nearest < stranger, tf.float32)

        return [keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")]


def _compared(true: tf.Tensor, vectors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Compare all pictures of a batch.

    Returns:
        Squared distances (N, N) of the vectors, brought to length 1; whether two pictures are of
        one class; and the same without the pictures themselves.
    """
    units = tf.math.l2_normalize(vectors, axis=1)
    distances = tf.maximum(2 - 2 * tf.matmul(units, units, transpose_b=True), 0.0)
    same = tf.matmul(true, true, transpose_b=True) > 0
    return distances, same, tf.linalg.set_diag(same, tf.zeros(tf.shape(same)[:1], bool))


class _TripletLoss(keras.losses.Loss):
    def __init__(self, margin: float):
        super().__init__(name="triplets")
        self.margin = margin

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the mean over all pairs of one class, once for each of N pictures."""
        distances, same, positive = _compared(y_true, y_pred)
        # [anchor, positive, negative]
        farther = ~same[:, None, :] & (distances[:, None, :] > distances[:, :, None])
        nearest = tf.reduce_min(tf.where(farther, distances[:, None, :], _INFINITE), axis=2)
        farthest = tf.reduce_max(tf.where(same, -_INFINITE, distances), axis=1, keepdims=True)
        chosen = tf.where(tf.reduce_any(farther, axis=2), nearest, farthest)
        usable = positive & tf.reduce_any(~same, axis=1, keepdims=True)
        losses = tf.where(usable, tf.maximum(distances - chosen + self.margin, 0.0), 0.0)
        pairs = tf.reduce_sum(tf.cast(usable, tf.float32))
        mean = tf.math.divide_no_nan(tf.reduce_sum(losses), pairs)
        return tf.fill(tf.shape(y_true)[:1], mean)
