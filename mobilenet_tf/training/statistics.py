"""Batch normalization with the statistics of the images at hand, in a network that stays the same.

A network that was trained with frozen normalization, or whose published weights have it folded into
the kernels, computes something else in training mode, because batches have other statistics than
the ones it keeps. Training it further would begin by destroying it.
"""

import numpy as np
import tensorflow as tf
import tf_keras as keras

_BATCH = 16


def adopt_statistics(model: keras.Model, images: np.ndarray) -> None:
    """Set the moving statistics to those of images, and scale and offset so that nothing changes.

    With mean m and variance v of a channel before, and M and V of the images, scale and offset
    become scale * sqrt((V + e) / (v + e)) and offset + scale * (M - m) / sqrt(v + e).

    Args:
        model: Network; its output in inference mode stays the same up to rounding.
        images: float32 (N, height, width, channels), normalised.
    """
    norms = [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]
    if not norms:
        return
    inputs = tf.function(keras.Model(model.input, [norm.input for norm in norms]))
    sums = [np.zeros((2, norm.moving_mean.shape[0])) for norm in norms]
    for start in range(0, len(images), _BATCH):
        batch = tf.constant(images[start : start + _BATCH])
        for total, found in zip(sums, inputs(batch, training=False), strict=True):
            # Averages of squares in float32 are too coarse where the mean is large.
            mean, variance = (
                one.numpy().astype(float)
                for one in tf.nn.moments(found, range(len(found.shape) - 1))
            )
            total += len(batch) * np.stack([mean, variance + mean**2])
    for norm, (mean, square) in zip(norms, sums, strict=True):
        mean, square = mean / len(images), square / len(images)
        _adopt(norm, mean, np.maximum(square - mean**2, 0))


def _adopt(norm: keras.layers.BatchNormalization, mean: np.ndarray, variance: np.ndarray) -> None:
    deviation = np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    gamma = norm.gamma.numpy() if norm.scale else np.ones_like(mean)
    offset = gamma * (mean - norm.moving_mean.numpy()) / deviation
    norm.beta.assign_add(offset)
    if norm.scale:
        norm.gamma.assign(gamma * np.sqrt(variance + norm.epsilon) / deviation)
    norm.moving_mean.assign(mean)
    norm.moving_variance.assign(variance)
