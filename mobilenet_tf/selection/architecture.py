"""Platform-aware architecture search (MnasNet; Tan et al., 2019): its settings and its problem."""

from dataclasses import dataclass, field
from typing import Any

from mobilenet_tf import __version__
from mobilenet_tf.core.bounds import check_seed, check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.settings import Checked, choice, number
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import SMALLEST_SIDE
from mobilenet_tf.selection import search_settings
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.architecture_space import ArchitectureSpace, Values
from mobilenet_tf.selection.cost import Budget, CostTable
from mobilenet_tf.training.recipe import Recipe

ALGORITHMS = ("evolution", *search_settings.ALGORITHMS)
_MOST_WINNERS, _MOST_SEEDS = 100, 1000


@dataclass(frozen=True)
class Reward(Checked):
    """accuracy * (latency / target)^w (Tan et al., equation 2).

    The paper searches with w = -0.07 on both sides, because doubling the latency usually brings 5 %
    more accuracy; V3-Small with -0.15.

    Attributes:
        below: w of networks within the target.
        above: w of slower ones.
        target: Latency in milliseconds; None takes the budget's.
    """

    below: float = number(0.0, least=-10, most=10)
    above: float = number(-1.0, least=-10, most=10)
    target: float | None = number(None, above=0)

    @classmethod
    def parse(cls, text: str, target: float | None = None) -> "Reward":
        """Return the reward of `hard`, `soft` or two exponents such as `-0.07,-0.15`.

        Raises:
            UserError: The text is none of them.
        """
        named = {"hard": "0,-1", "soft": "-0.07,-0.07"}.get(text, text)
        try:
            below, above = map(float, named.split(","))
        except ValueError:
            raise UserError(
                f"reward is {text!r}; it must be hard, soft or two exponents such as -0.07,-0.15."
            ) from None
        return cls(below, above, target)

    def __call__(self, accuracy: float, latency: float | None, limit: float | None) -> float:
        """Return the reward; without a latency and a target, the accuracy.

        Args:
            accuracy: From 0 to 1.
            latency: Milliseconds, or None if unknown.
            limit: The budget's latency.
        """
        target = self.target or limit
        if latency is None or target is None:
            return accuracy
        ratio = latency / target
        return accuracy * ratio ** (self.below if ratio <= 1 else self.above)


@dataclass(frozen=True, kw_only=True)
class Judge(Checked):
    """How candidates are judged before the best are trained in full.

    Attributes:
        kind: `training` trains each for a few epochs; `supernet` trains one network that contains
            all others, and tests them with its weights; `macs` trains nothing and prefers the most
            multiply-adds.
        epochs: Number of epochs of a short training (with `hyperband`, of the longest), or of the
            supernet.
        size: Side of the input in pixels at which candidates are judged; None takes their own.
    """

    kind: str = choice("training", "supernet", "macs")
    epochs: int = number(5, least=1)
    size: int | None = number(None, least=SMALLEST_SIDE)


@dataclass(frozen=True, kw_only=True)
class ArchitectureSettings:
    """An architecture search, as its `config.toml` describes it.

    Attributes:
        data: Source of the images, as for `load_data`.
        input: Input of every network, but for its size.
        recipe: Full training of the winners; short trainings differ in the number of epochs.
        space: The search space.
        algorithm: One of `ALGORITHMS`.
        judge: How candidates are judged.
        budget: The most that a network may cost; more expensive ones are never trained.
        device: Device that costs are measured on, as for `cost_table`.
        reward: What the search maximizes.
        finalists: Number of the best candidates that are trained again, at their own size and for
            half of the recipe's epochs, so that the winners are the best of these; 0 takes the
            winners from the first judgement.
        winners: Number of networks that are trained in full at the end.
        seeds: Number of full trainings of each of them, and of the published networks beside them.
        seed: Seed of the search.
    """

    data: str
    input: InputSpec
    recipe: Recipe
    space: ArchitectureSpace
    algorithm: str = "evolution"
    judge: Judge = field(default_factory=Judge)
    budget: Budget = field(default_factory=Budget)
    device: str = "cpu"
    reward: Reward = field(default_factory=Reward)
    finalists: int = 0
    winners: int = 2
    seeds: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise UserError(
                f"algorithm is {self.algorithm!r}; it must be one of {', '.join(ALGORITHMS)}."
            )
        if self.algorithm == "hyperband" and self.judge.kind != "training":
            raise UserError(
                f"judge is {self.judge.kind!r}; hyperband needs short trainings to continue: "
                "judge must be training."
            )
        if self.judge.kind == "supernet" and self.judge.size is None and len(self.space.size) > 1:
            raise UserError(
                f"The space has inputs of {', '.join(map(str, self.space.size))} pixels, but a "
                "supernet judges at one; give --judge-size."
            )
        target, limit = self.reward.target, self.budget.latency
        if target is not None and limit is not None and target > limit:
            raise UserError(
                f"The target latency is {target:g} ms; it must be at most the limit, {limit:g} ms, "
                "beyond which nothing is trained."
            )
        check_whole("winners", self.winners, 1, _MOST_WINNERS)
        if self.finalists:
            check_whole("finalists", self.finalists, self.winners, _MOST_WINNERS)
        check_whole("seeds", self.seeds, 1, _MOST_SEEDS)
        check_seed(self.seed)
        self.space.network(self.space.extreme(min), 1, self.input)  # rejects other values

    @property
    def finalist_epochs(self) -> int:
        """Number of epochs for which finalists are trained."""
        return max(1, self.recipe.train.epochs // 2)

    @property
    def timed(self) -> Budget:
        """The budget, with the reward's target as a limit of latency if there is no other."""
        limits = self.budget.limits
        if self.reward.target is not None:
            limits.setdefault("latency", self.reward.target)
        return Budget(**limits)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML, without `finalists`, `winners` and `seeds`.

        These three may change when a search is resumed.
        """
        plain = ("data", "algorithm", "device", "seed")
        judge = {"kind": self.judge.kind, "epochs": self.judge.epochs, "size": self.judge.size}
        reward = {name: getattr(self.reward, name) for name in ("below", "above", "target")}
        return {name: getattr(self, name) for name in plain} | {
            "version": __version__,
            "input": search_settings.preparation(self.input),
            "limits": self.budget.limits,
            "judge": {name: value for name, value in judge.items() if value is not None},
            "reward": {name: value for name, value in reward.items() if value is not None},
            "space": self.space.to_dict(),
            "recipe": self.recipe.to_dict(),
        }


class Architectures:
    """The networks of a space, of which those beyond the budget are refused: a `Problem`.

    Args:
        settings: Settings of the search.
        classes: Number of classes.
        table: Costs of networks; a worker's table need not know the latency.
    """

    def __init__(self, settings: ArchitectureSettings, classes: int, table: CostTable):
        self.settings, self.classes, self.table = settings, classes, table
        self.algorithm, self.seed = settings.algorithm, settings.seed
        self.judged = "multiply-adds" if settings.judge.kind == "macs" else "validation"
        self.parameters, self.longest = settings.space.parameters, settings.judge.epochs
        self._known: dict[tuple, Affordable] = {}
        self._values: dict[Network, Values] = {}

    def describe(self, values: Values) -> tuple[Affordable, dict[str, Any]]:
        """Return the network of some values with its measured cost, and no fields of a recipe."""
        key = tuple(values[name] for name in self.parameters)
        if key not in self._known:
            network = self.network(values)
            self.table.measure([network])
            self._known[key] = Affordable(network, self.table.cost(network))
            self._values[network] = dict(zip(self.parameters, key, strict=True))
        return self._known[key], {}

    def values_of(self, network: Network) -> Values:
        """Return values of a network that was described."""
        return self._values[network]

    def network(self, values: Values) -> Network:
        """Return the network of the values of all parameters, without measuring it."""
        chosen = {name: values[name] for name in self.parameters}
        return self.settings.space.network(chosen, self.classes, self.settings.input)

    def canonical(self, values: Values) -> dict[str, Any]:
        """Return the same values for all that describe the same network."""
        return self.settings.space.canonical(values)

    def accepts(self, values: Values) -> bool:
        """Return whether a network is within the budget; counted costs are compared first."""
        budget = self.settings.budget
        if budget.exceeded(self.table.lower_bound(self.network(values))):
            return False
        return not budget.exceeded(self.describe(values)[0].cost)

    def reward(self, values: Values, accuracy: float) -> float:
        """Return the reward of a candidate that was judged to have this accuracy."""
        settings, cost = self.settings, self.describe(values)[0].cost
        return settings.reward(accuracy, cost.latency, settings.budget.latency)
