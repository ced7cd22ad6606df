"""Plain values in which one value at a time is another."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any


def damaged(values: Any, replacement: Any) -> Iterator[Any]:
    """Yield copies of nested tables and lists; in each, one value or the whole is replaced."""
    for path in _paths(values):
        copy = {"": deepcopy(values)}
        *above, last = ("", *path)
        inner = copy
        for key in above:
            inner = inner[key]
        inner[last] = deepcopy(replacement)
        yield copy[""]


def _paths(values: Any, path: tuple = ()) -> Iterator[tuple]:
    yield path
    if isinstance(values, dict | list):
        for key in values if isinstance(values, dict) else range(len(values)):
            yield from _paths(values[key], (*path, key))
