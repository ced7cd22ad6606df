"""The settings of a comparison of networks, and networks written as `v1:0.25@96`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.affordable import label
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.training.recipe import Recipe, load_recipe

REFERENCES = ("best", "first")
_MOST_SEEDS = 1000
_SPEC = re.compile(r"(?P<name>\w+)(:(?P<alpha>[\d.]+))?(@(?P<height>\d+)(x(?P<width>\d+))?)?", re.A)


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """How networks are compared: all of them are trained in the same way.

    Attributes:
        recipe: Training of every network.
        seeds: Number of trainings of each network. Training number k has the seed k, which decides
            initial weights, order and augmentation, and the split of data without splits.
        int8: Whether the networks are quantized and their files tested, or only float networks.
        budget: The most that a network may cost; others are not trained.
        device: Device that the limited costs are measured on, as for `cost_table`.
        weights: Weights that training starts from: `none`, `imagenet` or a file.
        reference: Network that the others are compared with: the `best` or the `first`.
    """

    recipe: Recipe = field(default_factory=lambda: load_recipe("small_data"))
    seeds: int = 3
    int8: bool = True
    budget: Budget = field(default_factory=Budget)
    device: str = "cpu"
    weights: str = "none"
    reference: str = "best"

    def __post_init__(self) -> None:
        check_whole("seeds", self.seeds, 1, _MOST_SEEDS)
        if self.reference not in REFERENCES:
            raise UserError(
                f"reference is {self.reference!r}; it must be one of {', '.join(REFERENCES)}."
            )

    def identity(self) -> dict[str, Any]:
        """Return what must not change while trials are added, as plain values for TOML.

        Networks, seeds and limits may be added to a comparison later.
        """
        return {"weights": self.weights, "int8": self.int8, "recipe": self.recipe.to_dict()}


def parse_networks(
    networks: Sequence[Network | str],
    input_spec: InputSpec = InputSpec(96),  # noqa: B008  frozen
) -> list[Network]:
    """Return networks that are given as such or as text.

    Args:
        networks: Networks, or texts such as `v1:0.25@96`; where it is left out, alpha is 1.
        input_spec: Input of networks that are given as text; one may have a size of its own.

    Raises:
        UserError: A text is no such network, there is no network, or two have the same name.
    """
    found = [one if isinstance(one, Network) else _parse(one, input_spec) for one in networks]
    if not found:
        raise UserError("There is nothing to compare; give networks such as v1:0.25@96.")
    labels = [label(network) for network in found]
    for name in labels:
        if labels.count(name) > 1:
            raise UserError(f"Two networks are called {name}; each needs a name of its own.")
    return found


def _parse(text: str, input_spec: InputSpec) -> Network:
    found = _SPEC.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        alpha = float(found["alpha"] or 1.0)
    except ValueError:
        raise UserError(
            f"The network is {text!r}; it must be a name, alpha and size such as v1:0.25@96."
        ) from None
    sides: int | tuple[int, int] = (input_spec.height, input_spec.width)
    if found["height"]:
        height = int(found["height"])
        sides = (height, int(found["width"] or height))
    network = make_network(found["name"], alpha, sides)
    return replace(network, input=input_spec.sized(sides))
