"""Settings as frozen dataclasses with checked fields: names, types, ranges.

Files, the command line and errors identify a field by its path, such as `train.learning_rate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_type_hints

from mobilenet_tf.core.errors import UserError

_WORDS = {"above": "greater than", "least": "at least", "below": "less than", "most": "at most"}
# Of a setting without a bound of its own.
_LARGEST: dict[type, int] = {int: 2**16, float: 10**9}
_HOLDS = {
    "above": lambda value, bound: value > bound,
    "least": lambda value, bound: value >= bound,
    "below": lambda value, bound: value < bound,
    "most": lambda value, bound: value <= bound,
}


def number(default: Any = MISSING, **bounds: float) -> Any:
    """Return a field for a number; the bounds are `above`, `least`, `below` and `most`."""
    return field(default=default, metadata={"bounds": bounds})


def choice(default: str | int, *others: str | int) -> Any:
    """Return a field that accepts one of several words or numbers."""
    return field(default=default, metadata={"choices": (default, *others)})


class Checked:
    """Base of the dataclasses; every new instance has its values checked."""

    def __post_init__(self) -> None:
        """Reject a value out of range, whatever created the instance."""
        for item in fields(self):  # type: ignore[arg-type]
            check_range(item, getattr(self, item.name), item.name)
            _check_largest(getattr(self, item.name), item.name)


def leaves(cls: type, prefix: str = "") -> dict[str, Field]:
    """Return path -> field of every value in a dataclass and in the dataclasses inside it."""
    kinds = get_type_hints(cls)
    found: dict[str, Field] = {}
    for item in fields(cls):
        path, kind = prefix + item.name, kinds[item.name]
        is_table = isinstance(kind, type) and is_dataclass(kind)
        found |= leaves(kind, f"{path}.") if is_table else {path: item}
    return found


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return path -> value of nested tables; None, which TOML does not have, is left out."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        elif value is not None:
            flat[prefix + name] = value
    return flat


def assignments(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return path -> text of `FIELD=VALUE` from the command line.

    Raises:
        UserError: A text has no `=`; it names the option.
    """
    found = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"{option} is {text!r}; it must be FIELD=VALUE.")
        found[path.strip()] = value.strip()
    return found


def from_flat(cls: type, values: Mapping[str, Any], source: str) -> Any:
    """Return a checked dataclass made of values by path.

    Args:
        cls: The outermost dataclass.
        values: Path -> value, as from `flatten`.
        source: What errors call the origin of the values, such as a file name.

    Raises:
        UserError: A field is unknown, missing, of the wrong type or out of range.
    """
    known = leaves(cls)
    for path, value in values.items():
        if path in known:
            continue
        if any(name.startswith(f"{path}.") for name in known):
            raise UserError(f"{source}: {path} is {value!r}; it must be a table.")
        # A path whose table is missing or wrong usually has the right last word.
        near = [name for name in known if name.split(".")[-1] == path.split(".")[-1]]
        suggested = " or ".join(map(repr, near or get_close_matches(path, known, 1, 0.0)))
        raise UserError(f"{source} has an unknown field {path!r}; did you mean {suggested}?")
    return _build(cls, values, source, "")


def _build(cls: type, values: Mapping[str, Any], source: str, prefix: str) -> Any:
    kinds, arguments = get_type_hints(cls), {}
    for item in fields(cls):
        path, kind = prefix + item.name, kinds[item.name]
        optional = not (item.default is MISSING and item.default_factory is MISSING)
        inner = any(name.startswith(f"{path}.") for name in values)
        if isinstance(kind, type) and is_dataclass(kind) and (inner or not optional):
            arguments[item.name] = _build(kind, values, source, f"{path}.")
        elif path in values:
            value = _typed(kind, values[path], f"{source}: {path}")
            check_range(item, value, f"{source}: {path}")
            if issubclass(cls, Checked):
                _check_largest(value, f"{source}: {path}")
            arguments[item.name] = value
        elif not optional:
            raise UserError(f"{source} is incomplete: it has no {path}.")
    return cls(**arguments)


def _typed(kind: type, value: Any, name: str) -> Any:
    kind = next((one for one in get_args(kind) if one is not NoneType), kind)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UserError(f"{name} is {value!r}; it must be of type {kind.__name__}.")
    return value


def _check_largest(value: Any, name: str) -> None:
    """Reject numbers that no setting can mean; metrics may be larger."""
    largest = _LARGEST.get(type(value))
    if largest is not None and not abs(value) <= largest:  # NaN too
        raise UserError(f"{name} is {value}; it must be at most {largest:,}.")


def check_range(item: Field, value: Any, name: str) -> None:
    """Reject a value outside the bounds or the choices of its field; None is accepted.

    Raises:
        UserError: The value is not accepted.
    """
    bounds = item.metadata.get("bounds", {})
    if value is not None and not all(_HOLDS[key](value, bound) for key, bound in bounds.items()):
        wanted = " and ".join(f"{_WORDS[key]} {bound}" for key, bound in bounds.items())
        if set(bounds) == {"least", "most"}:
            wanted = f"from {bounds['least']} to {bounds['most']}"
        raise UserError(f"{name} is {value}; it must be {wanted}.")
    choices = item.metadata.get("choices", (value,))
    if value not in choices:
        raise UserError(f"{name} is {value!r}; it must be one of {', '.join(map(str, choices))}.")
