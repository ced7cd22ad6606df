"""The settings of a search. Needs no TensorFlow."""

from dataclasses import dataclass, field
from typing import Any

from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.selection.tuning_space import Space
from mobilenet_tf.training.recipe import Recipe

ALGORITHMS = ("hyperband", "bayesian", "random")


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """A search, as its `config.toml` describes it.

    Attributes:
        data: Source of the images, as for `load_data`.
        channels: 3 (RGB) or 1 (grey).
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
    channels: int
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
        self.space.networks(1, self.channels)  # rejects values that no network has
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML."""
        plain = ("data", "channels", "algorithm", "device", "weights", "seed")
        return {name: getattr(self, name) for name in plain} | {
            "epochs": self.longest,
            "limits": self.budget.limits,
            "space": self.space.to_dict(),
            "recipe": self.recipe.to_dict(),
        }
