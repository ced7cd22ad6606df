"""The weights of a network's layers, and those that are left of them after a cut."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from mobilenet_tf.networks.channels import Cut
from mobilenet_tf.networks.graph import BN_EPSILON, Op
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.published.names import NORM, layer_name
from mobilenet_tf.networks.rows import Network

Weights = Mapping[str, list[np.ndarray]]  # Keras layer -> its arrays in Keras's order


def channel_norms(network: Network, weights: Weights) -> Callable[[Op], np.ndarray]:
    """Return a function of a convolution that returns the L2 norms of its output channels.

    Batch normalization is folded in: without it, the norms of normalized kernels say nothing.
    """
    scheme = network.layer_names

    def norms(op: Op) -> np.ndarray:
        kernel = weights[layer_name(scheme, op)][0]
        found = np.sqrt((kernel.reshape(-1, kernel.shape[-1]).astype(np.float64) ** 2).sum(axis=0))
        if op.norm:
            gamma, _, _, variance = weights[layer_name(scheme, op, NORM)]
            found *= np.abs(gamma) / np.sqrt(variance.astype(np.float64) + BN_EPSILON)
        return found

    return norms


def cut_weights(cut: Cut, weights: Weights) -> dict[str, list[np.ndarray]]:
    """Return the weights of the smaller network of a cut.

    Args:
        cut: The cut.
        weights: Weights of the larger network.
    """
    before, found = lower(cut.source), {}
    for op, role, name in _layers(cut.network):
        source = layer_name(cut.source.layer_names, before[cut.names[op.name]], role)
        found[name] = cut.arrays(op, list(weights[source]), norm=role == NORM)
    return found


def weight_shapes(network: Network) -> dict[str, list[tuple[int, ...]]]:
    """Return the layers of a network that have weights, and the shapes of their arrays."""
    graph = lower(network)
    found: dict[str, list[tuple[int, ...]]] = {}
    for op, role, name in _layers(network):
        out = op.shape[2]
        read = graph[op.inputs[0]].shape[2]
        kernel: tuple[int, ...] = (*op.kernel, read, out)
        if op.kind == "depthwise":
            kernel = (*op.kernel, read, out // read)
        elif op.kind == "dense":
            kernel = (read, out)
        vector: tuple[int, ...] = (out,)
        bias = [vector] if op.bias and not op.norm else []
        found[name] = 4 * [vector] if role == NORM else [kernel, *bias]
    return found


def _layers(network: Network) -> Iterator[tuple[Op, str, str]]:
    """Yield operation, role and name of each layer with weights."""
    for op in lower(network):
        for role in ("", NORM)[: 1 + op.norm] if op.has_weights else ():
            yield op, role, layer_name(network.layer_names, op, role)
