"""Training of embeddings by classification with a margin: ArcFace and CosFace."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.tasks.embedding.objective import EmbeddingObjective
from mobilenet_tf.tasks.embedding.whitening import projection

_CENTRES = "centres"
_LEAST_SINE = 1e-7  # squared; the root has no gradient at 0
_AT_ONCE = 64


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class Centres(keras.layers.Layer):
    """The cosines of vectors with one trained centre per class, behind the vectors.

    From (N, dimension) to (N, dimension + classes).
    """

    def __init__(self, classes: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape: Any) -> None:
        """Create the centres, (classes, dimension); only their directions count."""
        self.centres = self.add_weight("centres", (self.classes, input_shape[-1]))
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Append the cosines."""
        centres = tf.math.l2_normalize(self.centres, axis=1)
        cosines = tf.matmul(tf.math.l2_normalize(inputs, axis=1), centres, transpose_b=True)
        return tf.concat([inputs, cosines], axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return super().get_config() | {"classes": self.classes}


@dataclass(frozen=True)
class MarginSoftmax(EmbeddingObjective):
    """Softmax over the cosines with class centres, with a margin for the right class.

    The centres are no part of the network. They are weights of a layer that `trained` appends, so
    that optimizer and checkpoints hold them, and start as the mean vectors of their classes
    (imprinting, arXiv 1712.07136), in every phase of training.

    Attributes:
        margin: m.
        scale: s, the factor of all cosines.
        additive_angle: Whether the margin is added to the angle, cos(a + m) (ArcFace, equation 3),
            or taken from the cosine, cos(a) - m (CosFace, equation 4).
    """

    samples: ClassVar[int] = 2048

    margin: float
    scale: float
    additive_angle: bool

    def trained(self, model: keras.Model) -> keras.Model:
        """Return the model followed by `Centres`."""
        return keras.Model(model.input, Centres(self.classes, name=_CENTRES)(model.output))

    def prepare(self, learner: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
        """Put each centre where its class lies, as seen from the middle of all classes.

        An untrained projection starts as `_start_vectors` says.
        """
        _start_vectors(learner, images, labels)
        layer = learner.get_layer(_CENTRES)
        outputs = _in_parts(learner, images)
        vectors = tf.math.l2_normalize(self.vectors(outputs), axis=1).numpy()
        means = {label: vectors[labels == label].mean(axis=0) for label in np.unique(labels)}
        middle = np.mean(list(means.values()), axis=0)
        centres = layer.centres.numpy()
        for label, mean in means.items():
            centres[label] = mean - middle
        layer.centres.assign(centres)

    def vectors(self, outputs: tf.Tensor) -> tf.Tensor:
        """Return the vectors in front of the cosines."""
        return outputs[:, : -self.classes]

    def loss(self, smoothing: float) -> keras.losses.Loss:
        """Return the cross-entropy of the scaled cosines, less the margin."""
        return _MarginLoss(self, smoothing)

    def metrics(self) -> list[str | keras.metrics.Metric]:
        """Return the share of pictures whose nearest centre is that of their class."""

        def accuracy(true: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
            return keras.metrics.categorical_accuracy(true, self.cosines(outputs))

        return [keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")]

    def cosines(self, outputs: tf.Tensor) -> tf.Tensor:
        """Return the cosines with the centres, (N, classes)."""
        return outputs[:, -self.classes :]

    def logits(self, targets: tf.Tensor, cosines: tf.Tensor) -> tf.Tensor:
        """Return the scaled cosines (N, classes), those of the targets less the margin."""
        return self.scale * tf.where(targets > 0, self._less_margin(cosines), cosines)

    def _less_margin(self, cosine: tf.Tensor) -> tf.Tensor:
        if not self.additive_angle:
            return cosine - self.margin
        sine = tf.sqrt(tf.maximum(1 - tf.square(cosine), _LEAST_SINE))
        shifted = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        # Beyond 180 degrees the cosine would rise again; the authors' code continues so.
        beyond = cosine <= math.cos(math.pi - self.margin)
        return tf.where(beyond, cosine - self.margin * math.sin(self.margin), shifted)


class _MarginLoss(keras.losses.Loss):
    def __init__(self, objective: MarginSoftmax, smoothing: float):
        super().__init__(name="margin_softmax")
        self.objective, self.smoothing = objective, smoothing

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the loss of each picture, (N,)."""
        logits = self.objective.logits(y_true, self.objective.cosines(y_pred))
        return keras.losses.categorical_crossentropy(
            y_true, logits, from_logits=True, label_smoothing=self.smoothing
        )


def _start_vectors(learner: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    """Let a new projection of trained features start from what tells classes apart.

    See `whitening`. A projection that was trained before is left alone, and so is one of features
    that are random themselves.
    """
    norms = [one for one in learner.layers if isinstance(one, keras.layers.BatchNormalization)]
    if not norms or not np.any(norms[0].moving_mean) or np.any(norms[-1].moving_mean):
        return
    dense = [one for one in learner.layers if isinstance(one, keras.layers.Dense)][-1]
    features = _in_parts(keras.Model(learner.input, dense.input), images).numpy()
    features = features.reshape(len(features), -1)
    kernel = projection(features, labels, dense.units)
    found = features @ kernel
    dense.set_weights([kernel])
    variance = found.var(axis=0)
    norms[-1].moving_mean.assign(found.mean(axis=0))
    norms[-1].moving_variance.assign(variance)
    # Behind the normalization, the values keep their proportions.
    norms[-1].gamma.assign(np.sqrt(variance / variance.mean()))


def _in_parts(model: keras.Model, images: np.ndarray) -> tf.Tensor:
    """Return the outputs of a model for many images, computed a few at a time."""
    starts = range(0, len(images), _AT_ONCE)
    parts = [model(images[start : start + _AT_ONCE], training=False) for start in starts]
    return tf.concat(parts, axis=0)
