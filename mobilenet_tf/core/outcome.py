"""What commands return: values with names, which a notebook shows as the terminal does."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from mobilenet_tf.core import tables

_LARGEST_DRAWING = 4_000_000  # bytes


class Shown:
    """Something that a notebook shows as the tables that a terminal prints."""

    def __rich__(self) -> RenderableType:
        """Return its tables, for the terminal."""
        raise NotImplementedError

    def drawings(self) -> Iterable[str | Path]:
        """Return PNG files that belong to it."""
        return ()

    def _repr_html_(self) -> str:
        drawn = [
            tables.html_image(path.read_bytes())
            for path in map(Path, self.drawings())
            if path.is_file() and path.stat().st_size <= _LARGEST_DRAWING
        ]
        return "\n".join([tables.html(self), *drawn])


class Outcome(Shown, dict[str, Any]):
    """What a command found, ready for JSON; its entries are attributes too.

    Subclasses declare the entries that they always have.
    """

    if not TYPE_CHECKING:  # for a type checker, only what is declared exists

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                raise AttributeError(
                    f"{type(self).__name__} has no {name!r}; it has {', '.join(self)}."
                ) from None
