"""`summary`: parameters, multiply-adds and memory of networks. Needs no TensorFlow."""

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.outcomes.networks import NetworkCounts, NetworkTotals
from mobilenet_tf.networks import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network, published_networks
from mobilenet_tf.selection.candidates import with_heads
from mobilenet_tf.tasks.registry import DEFAULT
from mobilenet_tf.tasks.task import Task


@applicable
def summary(
    network: str | Network | None = None,
    *,
    alpha: float = 1.0,
    size: int | tuple[int, int] = 224,
    classes: int = 1000,
    channels: int = 3,
    task: Task = DEFAULT,
) -> NetworkCounts | NetworkTotals:
    """Count what a network needs, from its rows.

    Args:
        network: A network or a name of the zoo; None for all networks of the zoo at all published
            width multipliers.
        alpha: Width multiplier of a named network.
        size: Side of the input in pixels, or (height, width); ignored for a `Network`, as the next
            two are.
        classes: Number of classes.
        channels: 3 (RGB) or 1 (grey).
        task: What the network is for; it then has that task's head.

    Returns:
        The counts of the network, or those of all networks.

    Raises:
        UserError: The name is unknown, or a value is not accepted.
    """
    if network is None:
        known = published_networks(size, classes, channels)
        return NetworkTotals(networks=count.table(with_heads(known, task, classes)))
    if isinstance(network, str):
        network = task.with_head(make_network(network, alpha, size, classes, channels), classes)
    return NetworkCounts(count.summary(network))
