"""Names of published networks -> networks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Real

from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks import squeezenet, tables, v4
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.tables import HS, RE, Rows
from mobilenet_tf.networks.xception import xception

SMALLEST_SIDE = 32  # of the papers' networks, which halve their input five times
LARGEST_ALPHA = 10  # the largest published one is 1.4
MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Entry:
    """A published network.

    Attributes:
        make: Function of alpha and the number of classes that returns backbone and head.
        layer_names: How the published files name its layers; see `published.names`.
        alphas: Width multipliers with weights that `published.weights` can download.
    """

    make: Callable[[float, int], tuple[Rows, Rows]]
    layer_names: str = "plain"
    alphas: tuple[float, ...] = ()


_LARGE, _SMALL = tables.V3_LARGE, tables.V3_SMALL
_PLAIN_LARGE, _PLAIN_SMALL = tables.minimalistic(_LARGE), tables.minimalistic(_SMALL)
ZOO = {
    "v1": Entry(tables.v1, "v1", (0.25, 0.5, 0.75, 1.0)),
    "v2": Entry(tables.v2, "v2", (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    "v3_large": Entry(tables.v3(_LARGE, 1280, HS), "v3", (0.75, 1.0)),
    "v3_small": Entry(tables.v3(_SMALL, 1024, HS), "v3", (0.75, 1.0)),
    "v3_large_minimalistic": Entry(tables.v3(_PLAIN_LARGE, 1280, RE), "v3", (1.0,)),
    "v3_small_minimalistic": Entry(tables.v3(_PLAIN_SMALL, 1024, RE), "v3", (1.0,)),
    "v4_conv_s": Entry(v4.v4(v4.CONV_S)),
    "v4_conv_m": Entry(v4.v4(v4.CONV_M)),
    "v4_conv_l": Entry(v4.v4(v4.CONV_L)),
    "mnasnet_a1": Entry(tables.mnasnet_a1),
    "squeezenet_1_0": Entry(squeezenet.squeezenet(7, 96, squeezenet.V1_0)),
    "squeezenet_1_1": Entry(squeezenet.squeezenet(3, 64, squeezenet.V1_1)),
    "xception": Entry(xception),
    "v1_full": Entry(tables.v1_full),
}


def make_network(
    name: str,
    alpha: float = 1.0,
    size: int | tuple[int, int] = 224,
    classes: int = 1000,
    channels: int = 3,
) -> Network:
    """Return a network of the zoo.

    Args:
        name: One of `ZOO`.
        alpha: Width multiplier, greater than 0.
        size: Side of the square input in pixels, or (height, width).
        classes: Number of classes.
        channels: 3 (RGB) or 1 (grey).

    Raises:
        UserError: An unknown name, or a value that is not accepted.
    """
    if name not in ZOO:
        raise UserError(f"There is no model named {name!r}; the names are {', '.join(ZOO)}.")
    if not isinstance(alpha, Real) or not 0 < alpha <= LARGEST_ALPHA:
        raise UserError(
            f"alpha is {alpha!r}; it must be a number greater than 0 and at most {LARGEST_ALPHA}."
        )
    check_whole("classes", classes, 1, MOST_CLASSES)
    taken = InputSpec(size, channels)
    if min(taken.height, taken.width) < SMALLEST_SIDE:
        raise UserError(
            f"size is {taken.size_text}; it must be a whole number of at least {SMALLEST_SIDE}, "
            "or two of them: height and width."
        )
    backbone, head = ZOO[name].make(float(alpha), int(classes))
    return Network(taken, backbone, head, name, float(alpha), ZOO[name].layer_names)


def published_networks(
    size: int | tuple[int, int] = 224, classes: int = 1000, channels: int = 3
) -> Iterator[Network]:
    """Yield every network at every alpha with published weights, or at 1 if it has none.

    Raises:
        UserError: A size, number of classes or channels that no network takes.
    """
    for name, entry in ZOO.items():
        for alpha in entry.alphas or (1.0,):
            yield make_network(name, alpha, size, classes, channels)
