"""The settings of a search. Needs no TensorFlow."""

from dataclasses import dataclass, field
from itertools import cycle
from math import ceil, log
from typing import Any

from mobilenet_tf import __version__
from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.selection.tuning_space import Space
from mobilenet_tf.training.recipe import Recipe

ALGORITHMS = ("hyperband", "bayesian", "random")
# Hyperband's unit is a quarter of a trial's epochs: the better half of the first trials goes on to
# two quarters, and the better half of these to all four. After one or two epochs of small data,
# batch normalization's statistics still lag behind and matter more than the values searched.
UNITS, FACTOR = 4, 2


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """A search, as its `config.toml` describes it.

    Attributes:
        data: Source of the images, as for `load_data`.
        input: Input of every network, but for its size.
        recipe: Gives every value that is not varied.
        space: What is varied.
        algorithm: One of `ALGORITHMS`.
        epochs: Number of epochs of a trial; with `hyperband`, of the longest ones. None takes the
            recipe's.
        budget: The most that a network may cost.
        device: Device that costs are measured on, as for `cost_table`.
        weights: Weights that training starts from: `none`, `imagenet` or a file.
        seed: Seed of the search and of every trial.
    """

    data: str
    input: InputSpec
    recipe: Recipe
    space: Space
    algorithm: str = "hyperband"
    epochs: int | None = None
    budget: Budget = field(default_factory=Budget)
    device: str = "cpu"
    weights: str = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise UserError(
                f"algorithm is {self.algorithm!r}; it must be one of {', '.join(ALGORITHMS)}."
            )
        check_seed(self.seed)
        self.space.networks(1, self.input)  # rejects values that no network has
        self.trial_recipe({})

    def trial_recipe(self, fields: dict[str, Any]) -> Recipe:
        """Return the recipe of a trial with these values for the fields that are varied.

        Raises:
            UserError: A value is not accepted.
        """
        return self.recipe.with_fields({"train.epochs": self.epochs} | fields)

    @property
    def longest(self) -> int:
        """Number of epochs of the longest trials."""
        return self.trial_recipe({}).train.epochs

    def check_enough(self, trials: int, networks: int) -> None:
        """Reject more trials than there are configurations.

        Args:
            trials: Number of trials.
            networks: Number of networks within the budget.

        Raises:
            UserError: Some would have to be tried twice.
        """
        needed = new_trials(trials) if self.algorithm == "hyperband" else trials
        configurations = self.space.configurations(networks)
        if needed > configurations:
            new = f", {needed} of them with values of their own" if needed < trials else ""
            raise UserError(
                f"trials is {trials}{new}, but the space has {configurations:,} configurations "
                "within the budget; give at most as many trials, or a larger space."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML."""
        plain = ("data", "algorithm", "device", "weights", "seed")
        return {name: getattr(self, name) for name in plain} | {
            "version": __version__,
            "input": preparation(self.input),
            "epochs": self.longest,
            "limits": self.budget.limits,
            "space": self.space.to_dict(),
            "recipe": self.recipe.to_dict(),
        }


def preparation(input_spec: InputSpec) -> dict[str, Any]:
    """Return plain values of what networks of different sizes have in common."""
    return {name: value for name, value in input_spec.to_dict().items() if name != "size"}


def new_trials(trials: int) -> int:
    """Return how many of Hyperband's trials have values of their own; the others continue one.

    Its brackets, each with the sizes of its rounds, are those of keras-tuner, which follows
    Li et al. (2018), algorithm 1.
    """
    count = int(log(UNITS, FACTOR)) + 1
    brackets = [
        [ceil(count / (bracket + 1) * FACTOR ** (bracket - index)) for index in range(bracket + 1)]
        for bracket in reversed(range(count))
    ]
    found = 0
    for rounds in cycle(brackets):
        found += min(rounds[0], trials)
        trials -= sum(rounds)
        if trials <= 0:
            return found
    raise AssertionError("cycle() ended")
