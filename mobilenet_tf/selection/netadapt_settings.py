"""The settings of NetAdapt. Needs no TensorFlow."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import Checked, choice, number
from mobilenet_tf.selection.cost import Budget, Cost


@dataclass(frozen=True, kw_only=True)
class AdaptSettings(Checked):
    """How a network is narrowed until it is within a budget.

    Attributes:
        budget: The most that the network may cost.
        to: Share of the latency of the network that it starts from, as a further limit.
        device: Device that costs are measured on, as for `cost_table`.
        steps: Number of steps in which the budget is to be reached. Each saves a share of what is
            missing; where nothing saves so much, more steps follow.
        decay: Factor of the share from step to step (NetAdapt's code: 0.96).
        criterion: How a step chooses a proposal: by `ratio`, the least accuracy lost per cost
            saved (V3, 4.2), or by `accuracy`, the highest (Yang et al., Algorithm 1).
        batches: Number of batches that each proposal is trained with before it is judged.
        learning_rate: Highest learning rate of these trainings; a quarter of that of the training
            at the end by default.
        aside: Share of the training images that is set aside: brief trainings do not use these
            images, and proposals are judged on them.
        divisor: Widths become multiples of it. Kernels of CPUs and NPUs compute several channels
            at once, so that other widths save little.
        depth: Whether to propose leaving out whole blocks, where a shortcut allows it.
        seed: Seed of the images that are set aside and of the brief trainings.
    """

    budget: Budget = field(default_factory=Budget)
    to: float | None = number(None, above=0, below=1)
    device: str = "cpu"
    steps: int = number(20, least=1, most=1000)
    decay: float = number(0.96, above=0, most=1)
    criterion: str = choice("ratio", "accuracy")
    batches: int = number(10, least=0)
    learning_rate: float | None = number(None, above=0)
    aside: float = number(0.2, above=0, below=1)
    divisor: int = number(8, least=1, most=256)
    depth: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_seed(self.seed)
        if self.to is None and not self.budget.limits:
            raise UserError(
                "adapt needs a budget: --to, --max-latency, --max-flash, --max-ram, --max-macs or "
                "--max-instructions."
            )
        if self.to is not None and self.budget.latency is not None:
            raise UserError("--to and --max-latency both limit the latency; give one of them.")

    @property
    def needed(self) -> Budget:
        """A budget that limits what these settings limit, before the network has been measured."""
        return self.limits(Cost(latency=1.0, flash=1, ram=1, macs=1, instructions=1))

    def limits(self, cost: Cost) -> Budget:
        """Return the budget for a network that costs this before anything is cut.

        Raises:
            UserError: A share of the latency is given, and the latency is unknown.
        """
        if self.to is None:
            return self.budget
        if cost.latency is None:
            raise UserError(
                f"--to is a share of the latency, which cannot be measured on the device "
                f"{self.device}; give another limit, such as --max-ram or --max-macs."
            )
        return replace(self.budget, latency=self.to * cost.latency)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML."""
        plain = {name: value for name, value in asdict(self).items() if value is not None}
        return plain | {"budget": self.budget.limits}
