"""Heat maps of a Keras classifier by gradients: Grad-CAM (Selvaraju et al., 2017, section 3)."""

from math import prod

import numpy as np
import tensorflow as tf
import tf_keras as keras

_SMALLEST = 1e-7  # probability of which the logarithm is taken


def grad_cam(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return by how much each place speaks for the class that a network predicts.

    The maps are the last ones with more than one pixel. The gradient is that of the logarithm of
    the class's probability, which does not vanish where softmax is saturated.

    Args:
        model: Network with probabilities of classes as its only output.
        images: float32 (N, height, width, channels), normalised.

    Returns:
        float64 (N, height, width), at least 0: equations 1 and 2, resized to the input.
    """
    probe = keras.Model(model.input, [_last_maps(model).output, model.output])
    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        maps, outputs = probe(inputs, training=False)
        score = tf.math.log(tf.reduce_max(outputs, axis=1) + _SMALLEST)
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))
    return tf.image.resize(heat, images.shape[1:3])[..., 0].numpy().astype(np.float64)


def _last_maps(model: keras.Model) -> keras.layers.Layer:
    return next(
        layer
        for layer in reversed(model.layers)
        if len(layer.output.shape) == 4 and prod(layer.output.shape[1:3]) > 1
    )
