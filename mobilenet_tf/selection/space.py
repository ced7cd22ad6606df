"""What `tune` may vary: networks, and fields of a recipe with their ranges. Data, from TOML."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import flatten, from_flat, leaves
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.training.recipe import Recipe

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

DEFAULT = Path(__file__).with_name("space.toml")
# Trials train the float network, for as long as the algorithm says.
_NO_EFFECT = ("name", "train.epochs", "calibration", "self_distillation", "qat.")


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included.

    Attributes:
        least, most: the ends.
        log: whether equal factors are equally likely, not equal differences.
        whole: only whole numbers.
    """

    least: float
    most: float
    log: bool
    whole: bool


@dataclass(frozen=True)
class Space:
    """All configurations that may be tried.

    Attributes:
        model, alpha, size: every combination of these is a network.
        fields: path in the recipe -> its range, or the values to choose from.
    """

    model: tuple[str, ...]
    alpha: tuple[float, ...]
    size: tuple[int, ...]
    fields: Mapping[str, Range | tuple]

    def networks(self, classes: int, channels: int) -> list[Network]:
        """Every network of the space.

        Raises:
            UserError: a name, alpha or size that is not accepted.
        """
        combinations = product(self.model, self.alpha, self.size)
        return [make_network(*chosen, classes, channels) for chosen in combinations]

    def narrowed(self, **chosen: Sequence | None) -> "Space":
        """The space with other networks; None leaves as it is."""
        given = {name: tuple(values) for name, values in chosen.items() if values}
        return replace(self, **given)

    def to_dict(self) -> dict[str, Any]:
        """Path -> values or range, as text: to be kept, and compared."""
        networks = {name: list(getattr(self, name)) for name in ("model", "alpha", "size")}
        return networks | {path: str(values) for path, values in self.fields.items()}


def load_space(file: Path, recipe: Recipe) -> Space:
    """The space of a TOML file.

    Args:
        file: lists of values, and tables of `min`, `max` and perhaps `log`.
        recipe: the fields' values have to suit it.

    Raises:
        UserError: the file is absent or no TOML; or a field is unknown, of no use to a trial, or
            has values that it does not take.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file} is not valid TOML: {error}.") from error
    networks = {}
    for name in ("model", "alpha", "size"):
        networks[name] = values.pop(name, None)
        if not isinstance(networks[name], list) or not networks[name]:
            raise UserError(f"{file}: {name} is {networks[name]!r}; it must be a list of values.")
    fields = {path: _values(f"{file}", path, value, recipe) for path, value in _paths(values)}
    return Space(*map(tuple, networks.values()), fields)


def _paths(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Path and values of each field; a table with an end of a range is no outer table."""
    for name, value in values.items():
        if isinstance(value, Mapping) and not {"min", "max"} & set(value):
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _values(file: str, path: str, value: Any, recipe: Recipe) -> Range | tuple:
    if path.startswith(_NO_EFFECT):
        raise UserError(
            f"{file}: {path} cannot be tuned, because trials train the float network for a "
            "length that --epochs sets."
        )
    ends = {"min", "max"}
    if isinstance(value, Mapping) and ends <= set(value) <= {*ends, "log"}:
        tried = (value["min"], value["max"])
    elif isinstance(value, list) and value:
        tried = tuple(value)
    else:
        raise UserError(
            f"{file}: {path} is {value!r}; it must be a list of values, or a table of min, max "
            "and perhaps log."
        )
    known = flatten(recipe.to_dict())
    for one in tried:
        from_flat(Recipe, known | {path: one}, file)
    whole = leaves(Recipe)[path].type is int
    if isinstance(value, list):
        # TOML's 0 among 0.1 and 0.2 is one of the same kind.
        numbers = all(type(one) in (int, float) for one in tried)
        return tuple(map(float, tried)) if numbers and not whole else tried
    log = value.get("log", False)
    if not tried[0] < tried[1] or (log and tried[0] <= 0):
        least = "greater than 0 and " if log else ""
        raise UserError(f"{file}: {path} is {value!r}; min must be {least}less than max.")
    return Range(*tried, log, whole)
