"""Knowledge distillation: a trained network teaches another (Hinton et al., arXiv 1503.02531)."""

from collections.abc import Callable

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Network

Teacher = Callable[[tf.Tensor], tf.Tensor]  # a student's normalised pictures -> logits


def distillation_loss(teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
    """T^2 * mean cross-entropy of (N, classes) logits at temperature T (1503.02531, 2).

    T^2 keeps the gradient's size, which falls with 1 / T^2, so a weight means the same at each
    temperature.
    """
    wanted = tf.nn.softmax(tf.cast(teacher, tf.float32) / temperature)
    given = tf.nn.softmax_cross_entropy_with_logits(wanted, student / temperature)
    return temperature**2 * tf.reduce_mean(given)


def as_teacher(
    model: keras.Model, student: Network, preprocessing: InputSpec, name: str
) -> Teacher:
    """A classifier as a teacher of a student with another size or normalisation.

    Args:
        model: gives probabilities or logits, of which only differences matter.
        student: whose pictures it will get.
        preprocessing: the model's own.
        name: of the model, in errors.

    Raises:
        UserError: it has other channels or another number of classes, or is no classifier.
    """
    wanted = (None, student.classes)
    if model.output_shape != wanted:
        raise UserError(f"{name} gives {model.output_shape}, not one score per class, {wanted}.")
    if len(model.input_shape) != 4 or model.input_shape[3] != student.input.channels:
        raise UserError(
            f"{name} takes {model.input_shape}, not pictures with "
            f"{student.input.channels} channels."
        )
    last = model.layers[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "")
    if activation not in ("", "linear", "softmax"):
        raise UserError(f"{name} ends in {activation}; a teacher needs softmax or logits.")
    probabilities = activation == "softmax" or isinstance(last, keras.layers.Softmax)
    side = model.input_shape[1] or student.input.side
    own, other = student.input, preprocessing

    def teach(pictures):
        pictures = (pictures * own.std + (own.mean - other.mean)) / other.std
        if side != student.input.side:
            pictures = tf.image.resize(pictures, (side, side), antialias=True)
        scores = tf.cast(model(pictures, training=False), tf.float32)
        # Up to a constant, which softmax does not see.
        return tf.math.log(tf.maximum(scores, 1e-7)) if probabilities else scores

    return teach
