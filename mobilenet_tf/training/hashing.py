"""Hashed weights in float training: after each step, weights that share a value become equal.

HashedNets train the shared values by the sums of their weights' gradients (equation 12). Here the
weights are trained and their mean replaces each, which is the same step at another learning rate.
Batch normalization stays, and with it what makes a network trainable after such a change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.hashed_weights import hash_kernel
from mobilenet_tf.core.weight_hash import stored_values
from mobilenet_tf.training.constraint import Change, Enforcer


@dataclass(frozen=True, eq=False)
class Hashing:
    """A constraint: each of some kernels has few values, chosen by a hash.

    Attributes:
        weights: The kernels.
        ratio: Weights for each value, on average.
    """

    weights: Sequence[tf.Variable]
    ratio: int

    def enforcer(self, learner: keras.Model, epochs: int, per_epoch: int) -> Enforcer:
        """Return what makes them so after each step."""
        return _Hashed(self)

    def hashed(self, kernel: tf.Tensor) -> tf.Tensor:
        """Return the nearest kernel that is hashed: values are the means of their weights."""
        values = stored_values(int(np.prod(kernel.shape)), self.ratio)
        places, signs = hash_kernel(tuple(kernel.shape), values)
        sizes = np.maximum(np.bincount(places.reshape(-1), minlength=values), 1)
        sums = tf.math.unsorted_segment_sum(kernel * signs, places, values)
        return tf.gather(sums / sizes.astype(np.float32), places) * signs


class _Hashed(Enforcer):
    def __init__(self, hashing: Hashing):
        super().__init__()
        self.hashing = hashing

    def changes(self) -> Iterable[Change]:
        return [(weight, self.hashing.hashed, ()) for weight in self.hashing.weights]


def make_scales_positive(model: keras.Model, names: Iterable[str]) -> None:
    """Negate channels whose batch normalization does, so that folding it keeps their hash.

    Args:
        model: Canonical network; it computes the same afterwards.
        names: Layers whose kernels are to be hashed.
    """
    for name in names:
        layer = model.get_layer(name)
        norm = layer.outbound_nodes[0].layer
        if not isinstance(norm, keras.layers.BatchNormalization) or not norm.scale:
            continue
        signs = tf.where(norm.gamma < 0, -1.0, 1.0)
        weights = [*layer.trainable_variables, norm.gamma, norm.moving_mean]
        for weight in weights:
            weight.assign(weight * signs)
