"""What `tune` may vary: networks, and fields of a recipe with their ranges, from a TOML file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_toml
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.settings import flatten, from_flat, leaves
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.training.compression_settings import STAGES
from mobilenet_tf.training.recipe import Recipe

DEFAULT_SPACE = Path(__file__).with_name("tuning_space.toml")
_TYPES: dict[str, tuple[type, ...]] = {"model": (str,), "alpha": (float, int), "size": (int,)}
# Fields without effect: trials train the float network for as long as the algorithm decides.
_NO_EFFECT = (
    *("name", "train.epochs", "calibration", "self_distillation", "compress", "max_flash"),
    "post_training.",
    *(f"{stage}." for stage in STAGES),
)


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included.

    Attributes:
        least, most: Bounds.
        log: Whether equal factors are equally likely, instead of equal differences.
        whole: Whether only whole numbers are meant.
    """

    least: float
    most: float
    log: bool
    whole: bool


@dataclass(frozen=True)
class Space:
    """All configurations that may be tried.

    Attributes:
        model, alpha, size: Values whose combinations are the networks.
        fields: Path in the recipe -> its range, or the values to choose from.
    """

    model: tuple[str, ...]
    alpha: tuple[float, ...]
    size: tuple[int, ...]
    fields: Mapping[str, Range | tuple]

    def networks(self, classes: int, input_spec: InputSpec) -> list[Network]:
        """Return every network of the space.

        Args:
            classes: Number of classes.
            input_spec: Input of every network, but for its size.

        Raises:
            UserError: A name, alpha or size is not accepted.
        """
        # A value may be listed twice.
        combinations = dict.fromkeys(product(self.model, self.alpha, self.size))
        return [
            replace(make_network(name, alpha, size, classes), input=input_spec.sized(size))
            for name, alpha, size in combinations
        ]

    def configurations(self, networks: int) -> float:
        """Return the number of different configurations; infinite with a continuous range.

        Args:
            networks: Number of networks to choose from.
        """
        found: float = networks
        for values in self.fields.values():
            if not isinstance(values, Range):
                found *= len(set(values))
            else:
                found *= values.most - values.least + 1 if values.whole else inf
        return found

    @property
    def batches(self) -> tuple[int, ...]:
        """The ends of the range, or the values, of the number of images per step."""
        values = self.fields.get("batch", ())
        return (int(values.least), int(values.most)) if isinstance(values, Range) else values

    def narrowed(
        self,
        *,
        model: Sequence[str] | None = None,
        alpha: Sequence[float] | None = None,
        size: Sequence[int] | None = None,
    ) -> "Space":
        """Return the space with other models, alphas or sizes; None keeps those of the space."""
        return replace(
            self,
            model=tuple(model or self.model),
            alpha=tuple(alpha or self.alpha),
            size=tuple(size or self.size),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the networks' values as lists, and each field's values as text, for TOML."""
        networks = {name: list(getattr(self, name)) for name in ("model", "alpha", "size")}
        return networks | {path: str(values) for path, values in self.fields.items()}


def load_space(file: Path, recipe: Recipe) -> Space:
    """Read a space from a TOML file.

    Args:
        file: Lists of values, and tables of `min`, `max` and optionally `log`.
        recipe: The recipe that the fields belong to.

    Raises:
        UserError: The file is absent or not valid TOML; or a field is unknown, has no effect on a
            trial, or has values that the recipe does not accept.
    """
    values = read_toml(file)
    networks: dict[str, Any] = {}
    for name in ("model", "alpha", "size"):
        networks[name] = values.pop(name, None)
        if not isinstance(networks[name], list) or not networks[name]:
            raise UserError(f"{file}: {name} is {networks[name]!r}; it must be a list of values.")
        for value in networks[name]:
            if type(value) not in _TYPES[name]:
                kinds = " or ".join(kind.__name__ for kind in _TYPES[name])
                raise UserError(f"{file}: {name} has {value!r}; its values must be {kinds}.")
    fields = {
        path: _values(f"{file}", path, value, recipe) for path, value in _paths(values, file=file)
    }
    return Space(**{name: tuple(values) for name, values in networks.items()}, fields=fields)


def _paths(values: Mapping[str, Any], prefix: str = "", *, file: Path) -> Iterator[tuple[str, Any]]:
    """Yield path and values of each field; a table with `min` or `max` is a range."""
    for name, value in values.items():
        if isinstance(value, Mapping) and not value:
            raise UserError(
                f"{file}: {prefix}{name} is an empty table; give its values or leave it out."
            )
        if isinstance(value, Mapping) and not {"min", "max"} & set(value):
            yield from _paths(value, f"{prefix}{name}.", file=file)
        else:
            yield prefix + name, value


def _values(file: str, path: str, value: Any, recipe: Recipe) -> Range | tuple:
    """Return the range or values of a field, checked against the recipe."""
    if path.startswith(_NO_EFFECT):
        raise UserError(
            f"{file}: {path} cannot be tuned, because trials train only the float network, for "
            "the number of epochs that --epochs sets."
        )
    bounds = {"min", "max"}
    if isinstance(value, Mapping) and bounds <= set(value) <= {*bounds, "log"}:
        examples = (value["min"], value["max"])
    elif isinstance(value, list) and value:
        examples = tuple(value)
    else:
        raise UserError(
            f"{file}: {path} is {value!r}; it must be a list of values, or a table of min, max "
            "and optionally log."
        )
    known = flatten(recipe.to_dict())
    for example in examples:
        from_flat(Recipe, known | {path: example}, file)
    whole = leaves(Recipe)[path].type is int
    if isinstance(value, list):
        # In TOML, the 0 in [0, 0.1] is a whole number; all values of a choice need one type.
        numbers = all(type(example) in (int, float) for example in examples)
        return tuple(map(float, examples)) if numbers and not whole else examples
    log = value.get("log", False)
    if type(log) is not bool:
        raise UserError(f"{file}: {path}.log is {log!r}; it must be true or false.")
    if not all(type(example) in (int, float) for example in examples):
        raise UserError(f"{file}: {path} is {value!r}; min and max must be numbers.")
    if not examples[0] < examples[1] or (log and examples[0] <= 0):
        positive = "greater than 0 and " if log else ""
        raise UserError(f"{file}: {path} is {value!r}; min must be {positive}less than max.")
    return Range(*examples, log, whole)
