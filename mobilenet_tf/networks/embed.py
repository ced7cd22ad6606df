"""The head of an embedder: pooled features -> a vector, for pictures that are compared.

The network ends before the vector is brought to length 1: integers would lose precision by it, and
a comparison does it anyway.
"""

from dataclasses import dataclass, replace

from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.lower import GraphBuilder, lowering
from mobilenet_tf.networks.rows import Classifier, Head, Network, row_kind

LARGEST_DIMENSION = 4096


@row_kind("embed")
@dataclass(frozen=True)
class Embed(Head):
    """A linear projection of pooled features, normalized over the batch (ArcFace, 3.1).

    The normalization centres each value, which suits integers and cosines alike; it becomes part
    of the projection.

    Attributes:
        classes: Number of classes that it is trained with; nothing in the network depends on it.
        dimension: Length of the vector.
    """

    dimension: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("dimension", self.dimension, 1, LARGEST_DIMENSION)


def embedder(network: Network, classes: int, dimension: int) -> Network:
    """Return a network with the head of an embedder in place of its classifier.

    Args:
        network: Any network that ends in a classifier or in such a head.
        classes: Number of classes that it is trained with.
        dimension: Length of the vector.

    Raises:
        UserError: The network ends in another head, or a value is not accepted.
    """
    *rows, last = network.head
    if not isinstance(last, Classifier | Embed):
        raise UserError(f"The head of {network.name} ends in a {last.kind}, not in a classifier.")
    return replace(network, head=(*rows, Embed(classes, dimension)))


@lowering(Embed)
def _embed(graph: GraphBuilder, x: Op, row: Embed) -> Op:
    return graph.op("dense", "vector", (x,), (1, 1, row.dimension), kernel=(1, 1), norm=True)
