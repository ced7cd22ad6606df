"""Whether a model fits a device, and which configuration would."""

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.tables import MCU, cost_table
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.candidates import candidates, with_heads
from mobilenet_tf.selection.cost import Budget, Cost
from mobilenet_tf.tasks.registry import DEFAULT
from mobilenet_tf.tasks.task import Task


def require_fit(
    network: Network, budget: Budget, cost: Cost, device: str = MCU, task: Task = DEFAULT
) -> None:
    """Reject a model that exceeds a budget.

    Args:
        network: Its network.
        budget: The budget.
        cost: What the model needs.
        device: The device.
        task: What the network is for.

    Raises:
        UserError: The model does not fit; the message has the costs, and the largest
            configuration that fits.
    """
    exceeded = budget.exceeded(cost)
    if not exceeded:
        return
    message = f"The model does not fit: {budget.compare(cost, exceeded)}."
    best = largest_that_fits(network, budget, device, task)
    if best is None:
        raise UserError(f"{message} No network fits at any alpha and size.")
    fitting, found = best
    raise UserError(
        f"{message} The largest that fits is --model {fitting.name} --alpha {fitting.alpha:g} "
        f"--size {fitting.input.side}: RAM {found.ram:,}, flash {found.flash:,} bytes."
    )


def largest_that_fits(
    network: Network, budget: Budget, device: str = MCU, task: Task = DEFAULT
) -> tuple[Network, Cost] | None:
    """Return the configuration with the most multiply-adds within a budget, and its cost.

    Configurations of the same family as `network` come before all others. None if none fits.
    """
    table = cost_table(device)
    grid = sorted(
        with_heads(candidates(network.classes, network.input.channels), task, network.classes),
        key=lambda other: (other.name != network.name, -count(other).macs),
    )
    for candidate in grid:
        if budget.exceeded(table.lower_bound(candidate)):
            continue
        table.measure([candidate])
        cost = table.cost(candidate)
        if not budget.exceeded(cost):
            return candidate, cost
    return None
