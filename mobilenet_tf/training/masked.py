"""A network whose channels can be switched off: one traced graph stands for many smaller networks.

A cut network computes what this one does with the masks of the cut, so that many cuts are trained
and compared without building a model for each.
"""

from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.networks.channels import Cut
from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.keras_model import KerasBuilder
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.published.names import layer_name
from mobilenet_tf.networks.rows import Network

_MASK = "{}/mask"


class _Mask(keras.layers.Layer):
    """Multiplies each channel by 0 or 1."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the factors, which are not trained."""
        self.mask = self.add_weight("mask", (shape[-1],), initializer="ones", trainable=False)

    def call(self, inputs: Any) -> Any:
        return inputs * self.mask


class _Masked(KerasBuilder):
    """Builds a Keras model with a mask after every operation that has weights.

    Operations without weights turn zeros into zeros; those with normalization or a bias do not.
    """

    def finished(self, op: Op, x: Any) -> Any:
        x = super().finished(op, x)
        return _Mask(name=_MASK.format(self._name(op)))(x) if op.has_weights else x


def masked_model(network: Network) -> keras.Model:
    """Build the Keras model of a network with a mask after every operation that has weights."""
    graph = lower(network)
    tensors = _Masked(graph, network.layer_names).tensors()
    (output,) = graph.outputs
    return keras.Model(tensors[graph.input.name], tensors[output.name])


def masks(cut: Cut) -> dict[str, list[np.ndarray]]:
    """Return the weights of the masks that make the larger network of a cut compute the smaller."""
    return {
        _MASK.format(layer_name(cut.source.layer_names, op)): [cut.kept[op.name].astype(np.float32)]
        for op in lower(cut.source)
        if op.has_weights
    }
