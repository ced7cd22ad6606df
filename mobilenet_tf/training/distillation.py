"""Knowledge distillation: a trained network teaches another (Hinton et al., arXiv 1503.02531)."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Network

# (N, height, width, channels) images, normalised for the student -> (N, classes) logits
Teacher = Callable[[tf.Tensor], tf.Tensor]


def as_teacher(
    model: keras.Model,
    student: Network,
    input_spec: InputSpec,
    name: str,
    places: Sequence[int] | None = None,
) -> Teacher:
    """Make a classifier the teacher of a student with another size or normalisation.

    Args:
        model: Classifier whose output is probabilities or logits.
        student: Network to be trained; the teacher receives its images.
        input_spec: Input that the model was trained with.
        name: Name of the model in errors.
        places: The output for each class of the student; by default they have the same order.

    Raises:
        UserError: The model is not a classifier with the student's classes and channels.
    """
    expected = (None, student.classes)
    if model.output_shape != expected:
        raise UserError(
            f"{name} has the output {model.output_shape}; a teacher needs one score per class, "
            f"{expected}."
        )
    if len(model.input_shape) != 4 or model.input_shape[3] != student.input.channels:
        raise UserError(
            f"{name} has the input {model.input_shape}; a teacher needs images with "
            f"{student.input.channels} channels."
        )
    activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", "")
    if activation not in ("", "linear", "softmax"):
        raise UserError(
            f"{name} ends in the activation {activation!r}; a teacher needs softmax or logits."
        )
    own = student.input
    height, width = (
        side or of_student
        for side, of_student in zip(model.input_shape[1:3], own.shape[:2], strict=True)
    )

    probabilities = _gives_probabilities(model, (height, width))

    def teach(images: tf.Tensor) -> tf.Tensor:
        images = (images * own.std + (own.mean - input_spec.mean)) / input_spec.std
        if (height, width) != (own.height, own.width):
            images = tf.image.resize(images, (height, width), antialias=True)
        scores = tf.cast(model(images, training=False), tf.float32)
        if places is not None:
            scores = tf.gather(scores, places, axis=1)
        # Logits up to a constant, which does not change the softmax.
        return tf.math.log(tf.maximum(scores, 1e-7)) if probabilities else scores

    return teach


def _gives_probabilities(model: keras.Model, size: tuple[int, int]) -> bool:
    """Whether the scores of random images are probabilities; a softmax may be deep in the model."""
    random = np.random.default_rng(0).uniform(-1, 1, (4, *size, model.input_shape[3]))
    scores = np.asarray(model(tf.constant(random, tf.float32), training=False), np.float64)
    return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3))
