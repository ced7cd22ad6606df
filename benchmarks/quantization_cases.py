"""The networks on which ways of quantization are compared."""

from dataclasses import dataclass
from pathlib import Path

from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.training.recipe import Recipe, load_recipe

SEEDS = (0, 1, 2)
# The recipe's learning rate is too high for ImageNet weights, and fewer epochs are enough.
_FINE_TUNING = {"train.epochs": 8, "train.learning_rate": 5e-4}


@dataclass(frozen=True)
class Case:
    """A network to measure.

    Attributes:
        name: Name in the zoo.
        alpha: Width multiplier.
        size: Side of the input.
        pretrained: Whether it is fine-tuned from ImageNet weights, instead of trained from random
            weights by the default recipe.
    """

    name: str
    alpha: float
    size: int
    pretrained: bool = False

    @property
    def title(self) -> str:
        """Name for tables."""
        origin = ", fine-tuned" if self.pretrained else ""
        return f"`{self.name}` {self.alpha:g}, {self.size}x{self.size}{origin}"

    @property
    def network(self) -> Network:
        """The network."""
        return make_network(self.name, self.alpha, self.size)

    @property
    def recipe(self) -> Recipe:
        """How it is trained and quantized."""
        return load_recipe("small_data").with_fields(_FINE_TUNING if self.pretrained else {})

    def file(self, folder: Path, seed: int) -> Path:
        """Return the path of the JSON file for one seed."""
        kind = "-pretrained" if self.pretrained else ""
        return folder / f"{self.name}{kind}-{seed}.json"

    def run_folder(self, folder: Path, seed: int) -> Path:
        """Return the path of the run for one seed."""
        return self.file(folder / "runs", seed).with_suffix("")


# Small and narrow: in wide networks, more rounding errors average out.
CASES = (
    Case("v1", 0.25, 64),
    Case("v2", 0.35, 64),
    Case("v3_small", 0.35, 64),
    Case("v3_small_minimalistic", 0.35, 64),
    Case("v3_large", 0.35, 64),
    Case("v3_large_minimalistic", 0.35, 64),
    Case("v2", 0.35, 96, pretrained=True),
)
