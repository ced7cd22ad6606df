"""What a model is, in one value that travels with it: widths, input and preprocessing."""

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import inf
from numbers import Integral, Real

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.rows import NETWORKS, Block, Network


@dataclass(frozen=True)
class Preprocessing:
    """From a picture to the network's input: centre square, resize, (pixel - mean) / std.

    Attributes:
        mean: the pixel value that becomes 0. An integer, so that it is the zero point of the
            int8 input: the published 127.5 would put it between two integers. The difference,
            0.004 of a range of 2, is below half a grey level.
        std: pixel values per unit. 1 / std is the scale of the int8 input.
        crop: side of the centre square kept, as a share of the picture's shorter side.
    """

    mean: float = 128.0
    std: float = 127.5
    crop: float = 1.0


@dataclass(frozen=True)
class ModelSpec:
    """Everything needed to build a network again and to feed it.

    Attributes:
        name: a name of the zoo.
        rows: the paper's table, before alpha.
        alpha: width multiplier, > 0.
        size: side of the square input in pixels, >= 32.
        classes: outputs of the classifier.
        channels: 3 (RGB) or 1 (grey).
        preprocessing: how pictures become inputs.
    """

    name: str
    rows: tuple[Block, ...]
    alpha: float = 1.0
    size: int = 224
    classes: int = 1000
    channels: int = 3
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def __post_init__(self):
        if not isinstance(self.alpha, Real) or not 0 < self.alpha < inf:
            raise UserError(f"alpha is {self.alpha!r}; it must be a number greater than 0.")
        for name, least in (("size", 32), ("classes", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise UserError(
                    f"{name} is {value!r}; it must be a whole number of at least {least}."
                )
        if self.channels not in (1, 3):
            raise UserError(f"channels is {self.channels!r}; it must be 1 (grey) or 3 (RGB).")

    @cached_property
    def network(self) -> Network:
        """The rows with alpha applied."""
        return NETWORKS[self.name](self.rows, self.alpha)

    def to_dict(self) -> dict:
        """Plain values for JSON or TOML."""
        return asdict(self) | {"rows": [list(asdict(row).values()) for row in self.rows]}

    @classmethod
    def from_dict(cls, values: dict) -> "ModelSpec":
        """The inverse of `to_dict`."""
        return cls(
            **values
            | {
                "rows": tuple(Block(*row) for row in values["rows"]),
                "preprocessing": Preprocessing(**values["preprocessing"]),
            }
        )

    def with_classes(self, classes: int) -> "ModelSpec":
        """The same network for another number of classes."""
        return replace(self, classes=classes)
