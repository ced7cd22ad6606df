"""What a network costs, what a device allows, and where costs come from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network

Progress = Callable[[str, int, int], None]  # current activity, items done, items in all
# Cost -> its title, in the units of `Cost`.
TITLES = {
    "latency": "latency, ms",
    "flash": "flash, bytes",
    "ram": "RAM, bytes",
    "macs": "multiply-adds",
    "instructions": "instructions",
}
# Cost -> the title of its axis in plots, and the unit there.
AXES = {
    "latency": ("latency, ms", 1.0),
    "instructions": ("million instructions", 1e6),
    "flash": ("flash, KB", 1e3),
    "ram": ("RAM, KB", 1e3),
    "macs": ("million multiply-adds", 1e6),
}
COSTS = tuple(TITLES)
COUNTED = frozenset(("flash", "ram", "macs"))  # costs that every table has
_TEXTS = {
    "latency": "latency {:,.9g} of {:,.9g} ms",
    "flash": "flash {:,} of {:,} bytes",
    "ram": "RAM {:,} of {:,} bytes",
    "macs": "{:,} of {:,} multiply-adds",
    "instructions": "{:,} of {:,} instructions",
}
# What to say where a limit is set on a cost that a device's table does not know.
_UNKNOWN = {
    "latency": "Latency on the device {} cannot be measured here; leave out --max-latency, or "
    "choose cpu, phone or an Ethos-U.",
    "instructions": "Instructions on the device {} are not counted; leave out --max-instructions, "
    "or choose an emulated core, such as cortex-a53 or cortex-m4.",
}


@dataclass(frozen=True)
class Cost:
    """What one inference of a network costs on a device.

    Attributes:
        latency: Milliseconds, or None where it is unknown.
        flash: Bytes of the model file.
        ram: Bytes of working memory: activations on a CPU, the arena on a microcontroller, SRAM
            with an NPU.
        macs: Number of multiply-adds.
        instructions: Number of executed instructions, or None where it is unknown.
    """

    latency: float | None
    flash: int
    ram: int
    macs: int
    instructions: int | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Budget:
    """The most that a network may cost; None means no limit. Units are those of `Cost`.

    Attributes:
        latency: Milliseconds.
        flash: Bytes of the model file.
        ram: Bytes of working memory.
        macs: Number of multiply-adds.
        instructions: Number of executed instructions.
    """

    latency: float | None = None
    flash: int | None = None
    ram: int | None = None
    macs: int | None = None
    instructions: int | None = None

    def __post_init__(self) -> None:
        for name, limit in self.limits.items():
            if not limit > 0:
                raise UserError(f"The limit of {name} is {limit}; it must be greater than 0.")

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: limit for name, limit in asdict(self).items() if limit is not None}

    def exceeded(self, cost: Cost) -> tuple[str, ...]:
        """Return the names of the limits that a cost exceeds; an unknown cost exceeds none."""
        return tuple(name for name, share in self._shares(cost).items() if share > 1)

    def excess(self, cost: Cost) -> float:
        """Return the largest ratio of a known cost to its limit; 0 without limits."""
        return max(self._shares(cost).values(), default=0.0)

    def compare(self, cost: Cost, names: Sequence[str] | None = None) -> str:
        """Return a cost beside its limits as text; `names` selects some of the limits."""
        names = tuple(self.limits) if names is None else names
        pairs = ((name, getattr(cost, name), self.limits[name]) for name in names)
        return " and ".join(
            _TEXTS[name].format(value, limit) for name, value, limit in pairs if value is not None
        )

    def _shares(self, cost: Cost) -> dict[str, float]:
        known = {name: getattr(cost, name) for name in self.limits}
        return {
            name: value / self.limits[name] for name, value in known.items() if value is not None
        }


class CostTable(Protocol):
    """Costs of networks on one device.

    Attributes:
        device: Short name, such as `cpu` or `mcu`.
        measured_on: Everything that the costs depend on: device, tools and their versions.
        known: Which of `COSTS` it knows; the others are None.
    """

    device: str
    measured_on: str
    known: frozenset[str]

    def measure(self, networks: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure what is not known yet; return the number of new measurements."""

    def cost(self, network: Network) -> Cost:
        """Return the cost of a network that has been measured."""

    def lower_bound(self, network: Network) -> Cost:
        """Return a lower bound of the measured cost, without measuring."""


class CountedTable:
    """Costs that are counted from the graph, for no device in particular."""

    device = "counted"
    measured_on = "counts of the graph"
    known = COUNTED

    def measure(self, networks: Iterable[Network], progress: Progress | None = None) -> int:
        """Return 0: there is nothing to measure."""
        return 0

    def cost(self, network: Network) -> Cost:
        """Return bytes of weights, bytes of activations and multiply-adds."""
        found = count(network)
        return Cost(None, found.weight_bytes, found.peak_activation_bytes, found.macs)

    def lower_bound(self, network: Network) -> Cost:
        """Return the same as `cost`."""
        return self.cost(network)


def check_budget(budget: Budget, table: CostTable) -> None:
    """Reject a limit of what is unknown on a device.

    Raises:
        UserError: The budget limits latency or instructions, and the table has none.
    """
    for name in budget.limits:
        if name not in table.known:
            raise UserError(_UNKNOWN[name].format(table.device))
