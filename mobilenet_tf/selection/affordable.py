"""The networks of a search that a budget allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import COSTS, Budget, Cost, CostTable, Progress, check_budget


@dataclass(frozen=True)
class Affordable:
    """A network with its cost, as a search knows it."""

    network: Network
    cost: Cost

    @property
    def label(self) -> str:
        """Name, alpha and size, such as `v1 0.25 32`: unique within a search."""
        return label(self.network)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        network = self.network
        facts = {"model": network.name, "alpha": network.alpha, "size": network.input.side}
        return {"network": self.label} | facts | self.cost.to_dict()


def label(network: Network) -> str:
    """Return the name of a network in a search, such as `v1 0.25 32`."""
    return f"{network.name} {network.alpha} {network.input.size_text}"


def affordable(
    networks: Sequence[Network],
    budget: Budget,
    table: CostTable,
    progress: Progress | None = None,
) -> list[Affordable]:
    """Return the networks within a budget, the one with the fewest multiply-adds first.

    A search that chooses among these alone never trains a network that is too expensive.

    Raises:
        UserError: No network is within the budget; the message names the nearest one. Or the
            table does not know what the budget limits.
    """
    found = within(priced(networks, budget, table, progress), budget)
    return sorted(found, key=lambda one: one.cost.macs)


def within(found: Sequence[Affordable], budget: Budget) -> list[Affordable]:
    """Return the networks within a budget.

    Raises:
        UserError: There is none; the message names the nearest one.
    """
    fitting = [one for one in found if not budget.exceeded(one.cost)]
    if not fitting:
        nearest = min(found, key=lambda one: budget.excess(one.cost))
        raise UserError(
            f"No network of the space is within the budget; {nearest.label} comes nearest, with "
            f"{budget.compare(nearest.cost)}."
        )
    return fitting


def priced(
    networks: Sequence[Network],
    budget: Budget,
    table: CostTable,
    progress: Progress | None = None,
) -> list[Affordable]:
    """Return all networks with their costs.

    Raises:
        UserError: The table does not know what the budget limits.
    """
    check_budget(budget, table)
    table.measure(networks, progress)
    return [Affordable(network, table.cost(network)) for network in networks]


@dataclass(frozen=True, kw_only=True)
class _Row(Cost):
    """What `Affordable.to_dict` gives, as far as it is read again."""

    network: str


def restore(networks: Sequence[Network], rows: Any) -> list[Affordable]:
    """Return what `Affordable.to_dict` described.

    Args:
        networks: All networks of the space.
        rows: The parsed JSON.

    Raises:
        UserError: A row has a wrong type, or is not of a network of the space.
    """
    known, found = {label(network): network for network in networks}, []
    for row in from_plain(tuple[_Row, ...], rows, "networks"):
        if row.network not in known:
            raise UserError(f"{row.network!r} is not a network of the space.")
        cost = Cost(**{name: getattr(row, name) for name in COSTS})
        found.append(Affordable(known[row.network], cost))
    return found
