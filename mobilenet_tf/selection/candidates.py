"""The configurations to choose from: published ones and some in between."""

from collections.abc import Iterator, Sequence

from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network

SIZES = (32, 64, 96, 128, 160, 192, 224)
_ALPHAS = (0.25, 0.35, 0.5, 0.62, 0.75, 0.88, 1.0)
# Width multipliers without published accuracy lie below or between those that have it.
NAMES = tuple(name for name, entry in ZOO.items() if entry.alphas)  # with published accuracy
ALPHAS = dict.fromkeys(NAMES, _ALPHAS) | {"v2": (0.25, 0.35, 0.42, *_ALPHAS[2:], 1.3, 1.4)}


def candidates(
    classes: int,
    channels: int = 3,
    names: Sequence[str] = NAMES,
    sizes: Sequence[int] = SIZES,
) -> Iterator[Network]:
    """Yield every network of the zoo at every width multiplier and size."""
    for name in names:
        for alpha in ALPHAS[name]:
            for size in sizes:
                yield make_network(name, alpha, size, classes, channels)
