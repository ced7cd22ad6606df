"""The Pareto front: what no other equals or beats in everything that is compared."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def undominated(items: Iterable[Item], price: Callable[[Item], tuple[float, ...]]) -> list[Item]:
    """Return the items that no other is at least as good as in everything, and better in something.

    Args:
        items: The items.
        price: What an item costs, of which less is better; a gain is negative.
    """
    priced = [(item, price(item)) for item in items]
    return [
        item
        for item, own in priced
        if not any(
            other != own and all(a <= b for a, b in zip(other, own, strict=True))
            for _, other in priced
        )
    ]
