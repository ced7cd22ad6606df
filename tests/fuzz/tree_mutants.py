"""Damage configurations: values of JSON and TOML are replaced, removed, repeated or added."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import tomli_w

from mobilenet_tf.core.files import parse_toml
from tests.fuzz.byte_mutants import damage_text

_DEEP: list[Any] = []
for _ in range(300):
    _DEEP = [_DEEP]
VALUES = (
    *(None, True, False, 0, -1, 1, 3, 65536, 2**31, 2**63, 10**25, 1e308, 5e-324, 0.5),
    *(float("nan"), float("inf"), -float("inf"), "", "x", "x" * 5000, "\x1b[2J\n", "\u202e"),
    *("../../x", "a/b", "none", "int8", [], {}, [[]], [None], {"": {}}, {"a": 1}, [1, "a"], _DEEP),
)


def damage_tree(value: Any, random: Random) -> Any:
    """Return a copy with one to four values changed, removed, repeated or added."""
    changed = {"": copy.deepcopy(value)}
    for _ in range(random.choice((1, 1, 2, 4))):
        holder, key = random.choice(list(_places(changed)))
        kind = random.randrange(6)
        if kind == 0 and isinstance(holder, dict) and key:
            del holder[key]
        elif kind == 1 and isinstance(holder[key], list):
            holder[key] = random.choice((holder[key] * 2, holder[key][:-1], holder[key][::-1]))
        elif kind == 2 and isinstance(holder[key], dict):
            holder[key][random.choice(("version", "new", "", "a.b"))] = random.choice(VALUES)
        elif kind == 3 and type(holder[key]) in (int, float):
            holder[key] = random.choice((-holder[key], holder[key] * 1000, holder[key] + 1))
        else:
            holder[key] = random.choice(VALUES)
    return changed[""]


def damage_json(content: bytes, random: Random) -> bytes:
    """Damage JSON as a tree or as text."""
    if random.random() < 0.3:
        return damage_text(content, random)
    return json.dumps(damage_tree(json.loads(content), random)).encode()


def damage_toml(content: bytes, random: Random) -> bytes:
    """Damage TOML as a tree, as far as it is TOML then, or as text."""
    if random.random() < 0.7:
        try:
            return tomli_w.dumps(damage_tree(parse_toml(content.decode(), "toml"), random)).encode()
        except (AttributeError, TypeError, ValueError, RecursionError):
            pass  # TOML has no null, and a table at its root
    return damage_text(content, random)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield container and key of every value inside a container."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
