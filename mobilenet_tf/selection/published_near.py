"""The published networks whose cost is nearest to a network's: what a search has to beat."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.candidates import ALPHAS
from mobilenet_tf.selection.cost import Cost, CostTable

FAMILIES = ("v1", "v2", "v3_small", "v3_large")


def nearest_published(
    target: Affordable,
    table: CostTable,
    families: Sequence[str] = FAMILIES,
    alphas: Sequence[float] | None = None,
) -> list[Affordable]:
    """Return, of each family, the network with the target's input whose cost is nearest to it.

    Args:
        target: The network to compare with.
        table: Costs; they are compared by `price`.
        families: Names of networks of the zoo.
        alphas: Width multipliers in ascending order; None takes those of `candidates`.
    """
    network, wanted = target.network, price(target.cost)
    found = []
    for name in families:

        def made(alpha: float, name: str = name) -> Affordable:
            sides = (network.input.height, network.input.width)
            one = make_network(name, alpha, sides, network.classes)
            one = replace(one, input=network.input)
            table.measure([one])
            return Affordable(one, table.cost(one))

        # Costs rise with alpha, so bisection measures only a few networks.
        known = ALPHAS[name] if alphas is None else alphas
        place = bisect_left(known, wanted, key=lambda alpha: price(made(alpha).cost))
        near = [made(alpha) for alpha in known[max(0, place - 1) : place + 1]]
        found.append(min(near, key=lambda one: abs(price(one.cost) - wanted)))
    return found


def price(cost: Cost) -> float:
    """Return the latency; if it is unknown, the instructions; if these are, the multiply-adds."""
    known = (cost.latency, cost.instructions, cost.macs)
    return next(value for value in known if value is not None)
