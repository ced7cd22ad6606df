"""How `tests.tasks.pointing` is trained."""

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.tasks.objective import Objective


class Point(Objective):
    """Squared error of the place and cross-entropy of the half, of both outputs side by side."""

    def check(self, labels):
        if labels.ndim != 2:
            raise UserError("These labels are no places.")

    def targets(self, labels, moves):
        right = tf.cast(labels[:, :1] > 0.5, tf.float32)
        return tf.concat([labels, 1 - right, right], axis=1)

    def trained(self, model):
        flat = [keras.layers.Flatten()(output) for output in model.outputs]
        return keras.Model(model.input, keras.layers.Concatenate()(flat))

    def loss(self, smoothing):
        def both(targets, outputs):
            place = tf.reduce_sum((targets[:, :2] - outputs[:, :2]) ** 2, axis=1)
            half = tf.nn.softmax_cross_entropy_with_logits(targets[:, 2:], outputs[:, 2:])
            return place + 0.1 * half

        return both

    def metrics(self):
        def half_accuracy(targets, outputs):
            same = tf.argmax(targets[:, 2:], axis=1) == tf.argmax(outputs[:, 2:], axis=1)
            return tf.cast(same, tf.float32)

        return [half_accuracy]

    def class_weights(self, labels):
        raise UserError("Places have no classes; class_weights must be false.")

    def soft_loss(self, teacher, student, temperature):
        return tf.reduce_mean((teacher - student) ** 2)
