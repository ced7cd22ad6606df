"""Choose the network, alpha and size with the best expected accuracy within a budget.

Accuracy is estimated from published ImageNet results of one recipe, as far as it has the networks
(`networks.published.accuracy`). Costs come from a `CostTable`. Nothing is trained.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.published.accuracy import (
    Estimate,
    common_recipe,
    expected_top1,
    recipes,
)
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.candidates import candidates, with_heads
from mobilenet_tf.selection.cost import Budget, Cost, CostTable, Progress, check_budget
from mobilenet_tf.selection.front import undominated
from mobilenet_tf.tasks.registry import DEFAULT
from mobilenet_tf.tasks.task import Task

_OUT_OF_REACH = 1.5  # candidates that exceed a limit by more than this factor are not measured
_COMPARED = ("latency", "instructions", "flash", "ram")
_EQUALLY_NEAR = 1.01  # a file that is 1 % smaller does not justify a much smaller input


@dataclass(frozen=True)
class Option:
    """A candidate with its expected accuracy and its cost.

    Attributes:
        network: The network.
        expected: Expected ImageNet accuracy.
        cost: Cost on the device.
        breaks: Names of the limits that it exceeds.
    """

    network: Network
    expected: Estimate
    cost: Cost
    breaks: tuple[str, ...] = ()

    @property
    def top1(self) -> float:
        """Expected ImageNet top-1 accuracy in per cent."""
        return self.expected.top1

    def close_to(self, other: "Option") -> bool:
        """Return whether the accuracies are closer than the larger of their errors."""
        error = max(self.expected.error, other.expected.error)
        return abs(self.top1 - other.top1) < error

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, in one level."""
        network = self.network
        return {
            "model": network.name,
            "alpha": network.alpha,
            "size": network.input.side,
            **asdict(self.expected),
            **self.cost.to_dict(),
            "breaks": list(self.breaks),
        }


@dataclass(frozen=True)
class Choice:
    """The result of `choose`.

    Attributes:
        device: Device of the costs, such as `cpu`.
        measured_on: The device and tools in full.
        budget: The budget.
        recipe: Recipe whose published results the accuracies rest on, where it has the network.
        considered: Number of candidates.
        best: The option with the best accuracy within the budget, or None.
        pareto: Options within reach that no other option equals or beats in accuracy and every
            cost, the cheapest first.
        nearest: If nothing fits, the option closest to the budget.
    """

    device: str
    measured_on: str
    budget: Budget
    recipe: str
    considered: int
    best: Option | None
    pareto: tuple[Option, ...]
    nearest: Option | None

    @property
    def fitting(self) -> list[Option]:
        """The options of `pareto` within the budget, the most accurate first."""
        inside = [option for option in self.pareto if not option.breaks]
        return sorted(inside, key=lambda option: -option.top1)

    @property
    def close(self) -> list[Option]:
        """The options of `fitting` that the estimates do not tell from the best one."""
        best = self.best
        if best is None:
            return []
        return [option for option in self.fitting if option != best and option.close_to(best)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "device": self.device,
            "measured_by": self.measured_on,
            "limits": self.budget.limits,
            "recipe": recipes()[self.recipe],
            "other_recipes": self._other_recipes(),
            "considered": self.considered,
            "best": self.best and self.best.to_dict(),
            "pareto": [option.to_dict() for option in self.pareto],
            "close": [option.to_dict() for option in self.close],
            "nearest": self.nearest and self.nearest.to_dict(),
        }

    def _other_recipes(self) -> dict[str, str]:
        """Return the networks that this recipe does not have, and the recipe used for each."""
        found = {option.network.name: option.expected.recipe for option in self.pareto}
        titles = recipes()
        return {name: titles[used] for name, used in found.items() if used != self.recipe}


def choose(
    budget: Budget,
    table: CostTable,
    *,
    task: Task = DEFAULT,
    classes: int = 10,
    channels: int = 3,
    progress: Progress | None = None,
) -> Choice:
    """Return the best of all candidates within a budget, and what it was chosen from.

    Args:
        budget: The budget; without limits, every candidate fits.
        table: Costs of networks on the device.
        task: What the network is for.
        classes: Number of classes.
        channels: 3 (RGB) or 1 (grey).
        progress: Called while candidates are measured.

    Raises:
        UserError: The budget limits what the table does not know.
    """
    check_budget(budget, table)
    grid = with_heads(candidates(classes, channels), task, classes)
    recipe = common_recipe(grid)

    def within(factor: float) -> list[Option]:
        near = [n for n in grid if budget.excess(table.lower_bound(n)) <= factor]
        smallest = min(grid, key=lambda network: count(network).weight_bytes)
        measured = near or [smallest]
        table.measure(measured, progress)
        return [_option(network, recipe, table.cost(network), budget) for network in measured]

    options = within(_OUT_OF_REACH)
    fitting = [option for option in options if not option.breaks]
    best = max(fitting, key=lambda option: (option.top1, -option.cost.macs), default=None)
    nearest = None
    if best is None:
        # Measure everything that may be as close to the budget as the closest so far, or closer.
        options = within(_EQUALLY_NEAR * budget.excess(_nearest(options, budget).cost))
        nearest = _nearest(options, budget)
    return Choice(
        device=table.device,
        measured_on=table.measured_on,
        budget=budget,
        recipe=recipe,
        considered=len(grid),
        best=best,
        pareto=tuple(pareto(options, compared_costs(budget))),
        nearest=nearest,
    )


def compared_costs(budget: Budget) -> tuple[str, ...]:
    """Return the costs that options are compared by: multiply-adds only if they are limited."""
    return (*_COMPARED, *(["macs"] if budget.macs is not None else []))


def _nearest(options: list[Option], budget: Budget) -> Option:
    """Return the option closest to the budget; of those equally close, the most accurate."""
    excess = [(budget.excess(option.cost), option) for option in options]
    least = min(ratio for ratio, _ in excess)
    near = (option for ratio, option in excess if ratio <= _EQUALLY_NEAR * least)
    return max(near, key=lambda option: option.top1)


def _option(network: Network, recipe: str, cost: Cost, budget: Budget) -> Option:
    expected = expected_top1(network.name, network.alpha, network.input.side, recipe)
    return Option(network, expected, cost, budget.exceeded(cost))


def pareto(options: Iterable[Option], names: Sequence[str] = _COMPARED) -> list[Option]:
    """Return the options that no other equals or beats in accuracy and every cost.

    Args:
        options: Options of one table.
        names: The costs to compare.

    Returns:
        The options, the cheapest first.
    """

    def price(option: Option) -> tuple[float, ...]:
        return (-option.top1, *(getattr(option.cost, name) or 0 for name in names))

    front = undominated(options, price)
    return sorted(front, key=lambda option: price(option)[1:])
