"""Settings as frozen dataclasses whose fields are checked: names, types, ranges.

A field is named by its path, such as `train.learning_rate`: in files, on the command line, in
errors.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_type_hints

from mobilenet_tf.core.errors import UserError

_WORDS = {"above": "greater than", "least": "at least", "below": "less than", "most": "at most"}
_HOLDS = {
    "above": lambda value, bound: value > bound,
    "least": lambda value, bound: value >= bound,
    "below": lambda value, bound: value < bound,
    "most": lambda value, bound: value <= bound,
}


def number(default: Any = MISSING, **bounds: float) -> Any:
    """A field for a number; `bounds` are of `above`, `least`, `below` and `most`."""
    return field(default=default, metadata={"bounds": bounds})


def choice(default: str, *others: str) -> Any:
    """A field for one of several words."""
    return field(default=default, metadata={"choices": (default, *others)})


class Checked:
    """Base of the dataclasses: a value out of range is refused however it came there."""

    def __post_init__(self):
        for item in fields(self):
            _check_range(item, getattr(self, item.name), item.name)


def leaves(cls: type, prefix: str = "") -> dict[str, Field]:
    """Path -> field of every single value in a dataclass and those inside it."""
    kinds, found = get_type_hints(cls), {}
    for item in fields(cls):
        path, kind = prefix + item.name, kinds[item.name]
        found |= leaves(kind, f"{path}.") if is_dataclass(kind) else {path: item}
    return found


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables -> path to value. None, which TOML does not have, is left out."""
    flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        elif value is not None:
            flat[prefix + name] = value
    return flat


def from_flat(cls: type, values: Mapping[str, Any], source: str) -> Any:
    """A checked dataclass from path to value.

    Args:
        cls: the outermost dataclass.
        values: as from `flatten`.
        source: what errors say the values come from.

    Raises:
        UserError: a field that is unknown, missing, of the wrong type or out of range.
    """
    known = leaves(cls)
    for path, value in values.items():
        if path in known:
            continue
        if any(name.startswith(f"{path}.") for name in known):
            raise UserError(f"{source}: {path} is {value!r}; it must be a table.")
        # Someone who forgets the table, or writes another, means the same last word.
        near = [name for name in known if name.split(".")[-1] == path.split(".")[-1]]
        near = " or ".join(map(repr, near or get_close_matches(path, known, 1, 0.0)))
        raise UserError(f"{source} has an unknown field {path!r}; did you mean {near}?")
    return _build(cls, values, source, "")


def _build(cls: type, values: Mapping[str, Any], source: str, prefix: str) -> Any:
    kinds, arguments = get_type_hints(cls), {}
    for item in fields(cls):
        path, kind = prefix + item.name, kinds[item.name]
        optional = not (item.default is MISSING and item.default_factory is MISSING)
        inner = any(name.startswith(f"{path}.") for name in values)
        if is_dataclass(kind) and (inner or not optional):
            arguments[item.name] = _build(kind, values, source, f"{path}.")
        elif path in values:
            value = _typed(kind, values[path], f"{source}: {path}")
            _check_range(item, value, f"{source}: {path}")
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


def _check_range(item: Field, value: Any, name: str) -> None:
    bounds = item.metadata.get("bounds", {})
    if value is not None and not all(_HOLDS[key](value, bound) for key, bound in bounds.items()):
        wanted = " and ".join(f"{_WORDS[key]} {bound}" for key, bound in bounds.items())
        if set(bounds) == {"least", "most"}:
            wanted = f"from {bounds['least']} to {bounds['most']}"
        raise UserError(f"{name} is {value}; it must be {wanted}.")
    choices = item.metadata.get("choices", (value,))
    if value not in choices:
        raise UserError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
