"""The configurations to choose from: published ones and some in between."""

from collections.abc import Iterable, Iterator, Sequence

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.accuracy import has_accuracy
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network
from mobilenet_tf.tasks.task import Task

SIZES = (32, 64, 96, 128, 160, 192, 224)
# Width multipliers without published accuracy lie below or between those that have it.
_ALPHAS = (0.25, 0.35, 0.5, 0.62, 0.75, 0.88, 1.0)
# Networks that the width multiplier was never applied to are taken as they are.
_WHOLE = dict.fromkeys(("squeezenet_1_0", "squeezenet_1_1", "xception"), (1.0,))
ALPHAS = dict.fromkeys(ZOO, _ALPHAS) | _WHOLE | {"v2": (0.25, 0.35, 0.42, *_ALPHAS[2:], 1.3, 1.4)}


def candidates(
    classes: int,
    channels: int = 3,
    names: Sequence[str] = tuple(ZOO),
    sizes: Sequence[int] = SIZES,
) -> Iterator[Network]:
    """Yield every network of the zoo at every width multiplier and size.

    Networks without published accuracy are left out: nothing could be expected of them.
    """
    for name in filter(has_accuracy, names):
        for alpha in ALPHAS[name]:
            for size in sizes:
                yield make_network(name, alpha, size, classes, channels)


def with_heads(networks: Iterable[Network], task: Task, classes: int) -> list[Network]:
    """Return those of the networks that can have the head of a task, with it.

    Raises:
        UserError: None can.
    """
    found, refusal = [], None
    for network in networks:
        try:
            found.append(task.with_head(task.framed(network), classes))
        except UserError as error:
            refusal = error
    if not found and refusal:
        raise refusal
    return found
