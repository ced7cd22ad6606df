"""Frozen dataclasses from and to plain values, as JSON holds them, with every value checked.

The annotations decide what is accepted: dataclasses, `dict[str, X]`, `tuple[X, ...]`, `int`,
`float`, `str`, `bool` and unions of them. JSON has no NaN and no infinity: where None is accepted,
a float that is not finite becomes None.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import check_range

_ACCEPTED = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    dict: "a table",
    tuple: "a list",
    NoneType: "null",
}
_LARGEST_INTEGER = 2**63 - 1
_SHOWN = 60  # characters of a rejected value


def from_plain(kind: Any, value: Any, name: str, *, strict: bool = False) -> Any:
    """Return a plain value as the type that an annotation asks for.

    Args:
        kind: A type that may be annotated, such as a dataclass or `tuple[int, ...]`.
        value: The plain value, such as one from `json.loads`.
        name: What errors call the value; a file's name ends in a colon, as in "result.json:".
        strict: Whether to reject fields that the dataclasses do not have. By default they are
            ignored, so that files of later versions can be read.

    Raises:
        UserError: A value has the wrong type, shape or range, or a required field is missing.
    """
    if get_origin(kind) in (Union, UnionType):
        return _from_union(get_args(kind), value, name, strict)
    if isinstance(kind, type) and is_dataclass(kind):
        return _from_table(kind, value, name, strict)
    if get_origin(kind) is dict:
        _require(isinstance(value, Mapping), (kind,), value, name)
        inner = get_args(kind)[1]
        return {
            key: from_plain(inner, item, _join(name, key), strict=strict)
            for key, item in value.items()
        }
    if get_origin(kind) is tuple:
        return _from_list(kind, value, name, strict)
    _require(_is_scalar(kind, value), (kind,), value, name)
    return float(value) if kind is float else value


def to_plain(value: Any) -> Any:
    """Return a value as JSON holds it.

    Fields of dataclasses that are None by default are left out while they are None; floats that
    are not finite become None. A dataclass that has a method `to_dict` describes itself.
    """
    if value is None or isinstance(value, str | int):
        return value
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_dataclass(value):
        known = ((item, to_plain(getattr(value, item.name))) for item in fields(value))
        return {i.name: held for i, held in known if held is not None or i.default is not None}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _join(name: str, key: str) -> str:
    if not (key.isascii() and key.isidentifier()):
        return f"{name}[{key!r}]"
    return f"{name} {key}" if name.endswith(":") else f"{name}.{key}"


@cache
def _kinds(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {item.name: hints[item.name] for item in fields(cls)}


def _from_union(kinds: tuple[Any, ...], value: Any, name: str, strict: bool) -> Any:
    unknown = value is None or (isinstance(value, float) and not isfinite(value))
    if unknown and NoneType in kinds:
        return None
    matching = [kind for kind in kinds if _has_outer_type(kind, value)]
    _require(bool(matching), kinds, value, name)
    return from_plain(matching[0], value, name, strict=strict)


def _has_outer_type(kind: Any, value: Any) -> bool:
    outer = get_origin(kind) or kind
    if outer is dict or is_dataclass(outer):
        return isinstance(value, Mapping)
    if outer is tuple:
        return isinstance(value, tuple | list)
    return _is_scalar(outer, value)


def _is_scalar(kind: Any, value: Any) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind in (int, float) and isinstance(value, int):
        return abs(value) <= _LARGEST_INTEGER
    return isinstance(value, kind) and (kind is not float or isfinite(value))


def _from_table(cls: type, value: Any, name: str, strict: bool) -> Any:
    _require(isinstance(value, Mapping), (cls,), value, name)
    kinds, arguments = _kinds(cls), {}
    for item in fields(cls):
        path = _join(name, item.name)
        if item.name in value:
            arguments[item.name] = from_plain(
                kinds[item.name], value[item.name], path, strict=strict
            )
            check_range(item, arguments[item.name], path)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise UserError(f"{name.rstrip(':')} is incomplete: it has no {item.name}.")
    unknown = sorted(value.keys() - kinds.keys())
    if strict and unknown:
        raise UserError(
            f"{name.rstrip(':')} has an unknown field {unknown[0]!r}; the fields are "
            f"{', '.join(kinds) or 'none'}."
        )
    try:
        return cls(**arguments)
    except UserError as error:  # raised by the dataclass's own checks
        raise UserError(f"{name.rstrip(':')}: {error}") from error


def _from_list(kind: Any, value: Any, name: str, strict: bool) -> tuple[Any, ...]:
    _require(isinstance(value, tuple | list), (kind,), value, name)
    inner = get_args(kind)
    if inner[-1] is not Ellipsis:
        if len(value) != len(inner):
            raise UserError(f"{name} is {_shown(value)}; it must be a list of {len(inner)} values.")
        kinds = inner
    elif inner[0] in (int, str) and all(_is_scalar(inner[0], item) for item in value):
        return tuple(value)  # the confusion matrix of 1,000 classes has a million numbers
    else:
        kinds = (inner[0],) * len(value)
    return tuple(
        from_plain(one, item, f"{name}[{index}]", strict=strict)
        for index, (one, item) in enumerate(zip(kinds, value, strict=True))
    )


def _require(accepted: bool, kinds: tuple[Any, ...], value: Any, name: str) -> None:
    if not accepted:
        outer = [get_origin(kind) or (dict if is_dataclass(kind) else kind) for kind in kinds]
        words = " or ".join(dict.fromkeys(_ACCEPTED[kind] for kind in outer))
        raise UserError(f"{name} is {_shown(value)}; it must be {words}.")


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        text = "a number that is too large"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
